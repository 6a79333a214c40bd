"""Which engine is away, told by nothing but its missed beats; in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from relayed import config, model
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Model, build
from synapse_gateway.metrics import Metrics
from synapse_gateway.relay.engines import Within
from synapse_gateway.relay.failure import of_exception
from synapse_gateway.relay.health import EngineAway, Health

pytestmark = pytest.mark.looptime
BEAT_S, MISSES = 5.0, 3
AWAY_WITHIN_S = BEAT_S * (MISSES + 1)
"""The last good beat may just have passed, and each of the next ones takes its whole time."""
OLLAMA, PIPER = "http://ollama:11434/v1", "http://piper:8000/v1"
KNOWN = config(
    model("slow", "ollama", url=OLLAMA),
    model("fast", "ollama", url=OLLAMA),
    model("voice", "piper", url=PIPER, kind="speech"),
    model("outside", "openai", url="http://provider/v1"),
    settings={"health_beat_s": BEAT_S, "health_misses": MISSES},
)
SLOW, FAST, VOICE, OUTSIDE = (KNOWN.models[name] for name in ("slow", "fast", "voice", "outside"))


@dataclass
class Engines:
    """What each engine does when it is asked for its health; the default is to answer."""

    hang: set[str] = field(default_factory=set)
    fail: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def is_well(self, model: Model, path: str) -> bool:
        self.asked.append((model.url, path))
        if model.engine in self.hang:
            await asyncio.Event().wait()
        return model.engine not in self.fail


@contextlib.asynccontextmanager
async def _followed(engines: Engines) -> AsyncIterator[Health]:
    registry = CollectorRegistry()
    health = Health(KNOWN, Metrics(registry).engine_up)
    following = asyncio.create_task(health.follow(engines.is_well))
    try:
        yield health
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


def _record() -> RequestRecord:
    return RequestRecord("POST", "/v1/chat/completions")


async def test_only_our_own_engines_are_asked_and_each_once_a_beat() -> None:
    engines = Engines()
    async with _followed(engines):
        await asyncio.sleep(2 * BEAT_S + 1)
    assert engines.asked == [(OLLAMA, "/api/version"), (PIPER, "/health")] * 3


@pytest.mark.parametrize("trouble", ["hang", "fail"])
async def test_an_engine_that_misses_its_beats_is_away_and_comes_back_with_a_good_one(
    trouble: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    engines = Engines()
    async with _followed(engines) as health:
        await asyncio.sleep(1)
        troubled: set[str] = getattr(engines, trouble)
        troubled.add("ollama")
        await asyncio.sleep(BEAT_S * (MISSES - 1))
        assert not health.is_away(SLOW), "one beat less is not enough"
        await asyncio.sleep(AWAY_WITHIN_S - BEAT_S * (MISSES - 1))
        assert [health.is_away(each) for each in (SLOW, FAST, VOICE)] == [True, True, False]
        with pytest.raises(EngineAway) as away:
            async with health.needed(SLOW, _record()):
                pytest.fail("it is not asked")
        refusal = of_exception(away.value, "slow").refusal
        assert refusal.status == 503
        assert 1 <= int(refusal.headers["retry-after"]) <= BEAT_S
        troubled.clear()
        await asyncio.sleep(2 * BEAT_S)
        assert not health.is_away(SLOW)
    told = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [(line["engine"], line["state"]) for line in told] == [
        ("ollama", "away"),
        ("ollama", "back"),
    ]


async def test_a_beat_now_and_then_may_be_missed() -> None:
    engines = Engines()
    async with _followed(engines) as health:
        for _ in range(5):
            engines.fail.add("ollama")
            await asyncio.sleep(BEAT_S * (MISSES - 1))
            engines.fail.clear()
            await asyncio.sleep(BEAT_S)
            assert not health.is_away(SLOW)


async def test_an_engine_that_answers_requests_is_there_however_slow_it_tells_its_health() -> None:
    engines = Engines(hang={"ollama"})
    async with _followed(engines) as health:
        for _ in range(30):
            await asyncio.sleep(BEAT_S / 2)
            health.heard(FAST)
        assert not health.is_away(SLOW)
        await asyncio.sleep(AWAY_WITHIN_S + 1)
        assert health.is_away(SLOW)
        health.heard(FAST)
        await asyncio.sleep(BEAT_S)
        assert health.is_away(SLOW), "the late end of an old answer does not bring it back"


async def test_who_waits_for_a_first_word_is_given_up_and_who_has_a_part_goes_on() -> None:
    engines, waiting, hearing = Engines(hang={"ollama"}), _record(), _record()
    hearing.is_answered = True
    began_s = asyncio.get_running_loop().time()

    async def wait(health: Health, model: Model, record: RequestRecord) -> float:
        async with health.needed(model, record):
            await asyncio.sleep(600)
        return asyncio.get_running_loop().time() - began_s

    async with _followed(engines) as health:
        asks = [(SLOW, waiting), (SLOW, hearing), (VOICE, _record()), (OUTSIDE, _record())]
        given_up, *others = await asyncio.gather(
            *(wait(health, *ask) for ask in asks), return_exceptions=True
        )
    assert isinstance(given_up, EngineAway)
    assert others == [600.0] * 3


async def test_a_time_out_of_its_own_is_no_engine_that_is_away() -> None:
    async with _followed(Engines()) as health:
        with pytest.raises(aiohttp.SocketTimeoutError):
            async with health.needed(SLOW, _record()), Within(1):
                await asyncio.sleep(600)
        for _ in range(100):
            with pytest.raises(ConnectionError):
                async with health.needed(SLOW, _record()):
                    raise ConnectionResetError
        assert not health.is_away(SLOW), "no failed request counts, however many there are"


async def test_litellm_and_the_arbiter_are_asked_for_themselves() -> None:
    places = {"url": "http://litellm:4000/v1", "via_litellm": True}
    known = build(
        {
            "models": [
                model("gpu", "vllm", url="http://arbiter:8080/v1", via_arbiter=True),
                model("behind", "vllm", via_arbiter=True, **places),
                model("outside", "litellm", **places),
            ],
            "translator": {"url": "http://litellm:4000/v1"},
        }
    )
    engines = Engines()
    health = Health(known, Metrics(CollectorRegistry()).engine_up)
    following = asyncio.create_task(health.follow(engines.is_well))
    await asyncio.sleep(1)
    following.cancel()
    assert engines.asked == [
        ("http://arbiter:8080/v1", "/healthz"),
        ("http://litellm:4000/v1", "/health/liveliness"),
    ]
