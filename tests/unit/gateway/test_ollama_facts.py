"""Whether an Ollama cuts is found out once, in time, and never taken for granted."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import aiohttp
import pytest

from relayed import Says, config, model
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.ollama_facts import BAD_S, CHECK_S, GOOD_S, OllamaFacts

pytestmark = pytest.mark.looptime

SILENCE_S = 600
CONTEXT = 512
MODELS = config(
    model("chat", "ollama", context=CONTEXT),
    model("embed", "ollama", kind="embedding", context=CONTEXT),
    model("endless", "ollama"),
).models
REFUSAL = {"error": "the input length exceeds the context length"}
LLAMA_SERVERS = {
    "error": json.dumps(
        {"error": {"code": 400, "type": "exceed_context_size_error", "message": "too many"}}
    )
}


class Ollama:
    """Loads, and meets what is too long with an answer, an exception or silence."""

    def __init__(self, *meets: Any, version: Any = "0.40.12") -> None:
        self.meets = list(meets)
        self.version = version
        self.loads: Exception | int = 200
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask_quickly(
        self, model: Model, path: str, headers: Any, body: list[bytes], **_: float
    ) -> Says:
        told = json.loads(b"".join(body))
        self.asked.append((path, told))
        if not (told.get("prompt") or told.get("input")):
            await asyncio.sleep(20)  # a model takes its time to load
            if isinstance(self.loads, Exception):
                raise self.loads
            return _says(self.loads, {"done": True, "done_reason": "load"})
        met = self.meets.pop(0)
        if isinstance(met, Exception):
            raise met
        if met is None:
            await asyncio.Event().wait()
        return _says(*met)

    def ask(self, *_: Any, silence_s: float) -> Any:
        return _says(200, {"version": self.version} if self.version else {})


def _says(status: int, told: Any) -> Says:
    return Says([json.dumps(told).encode()], status)


def facts(ollama: Ollama) -> OllamaFacts:
    return OllamaFacts(cast(Engines, ollama))


@pytest.mark.parametrize(
    ("met", "cuts"),
    [
        ((400, REFUSAL), False),
        ((400, LLAMA_SERVERS), False),
        ((200, {"done": True, "prompt_eval_count": CONTEXT}), True),
        ((400, {"error": "no such thing"}), False),
        ((503, {"error": "server busy"}), False),
        (aiohttp.ServerDisconnectedError(), False),
        (None, False),
    ],
    ids=["refuses", "refuses-since-0.30", "answers", "other-400", "busy", "gone", "silent"],
)
@pytest.mark.parametrize("name", ["chat", "embed"])
async def test_only_who_answers_what_is_too_long_cuts(name: str, met: Any, cuts: bool) -> None:
    ollama = Ollama(met)
    assert await facts(ollama).cuts(MODELS[name], SILENCE_S) is cuts
    (path, load), (again, long) = ollama.asked
    assert path == again == {"chat": "//api/generate", "embed": "//api/embed"}[name]
    assert len((long.get("prompt") or long["input"]).split()) > CONTEXT
    assert load["truncate"] is long["truncate"] is False
    assert load["model"] == long["model"] == f"served-{name}"


async def test_many_first_requests_wait_for_one_look(capsys: pytest.CaptureFixture[str]) -> None:
    ollama = Ollama((400, REFUSAL))
    known = facts(ollama)
    many = [known.cuts(MODELS["chat"], SILENCE_S) for _ in range(20)]
    assert await asyncio.gather(*many) == [False] * 20
    assert not await known.cuts(MODELS["chat"], SILENCE_S)
    assert len(ollama.asked) == 2
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line.pop("ts")
    assert line == {
        "event": "engine_check", "model": "chat", "engine": "ollama", "version": "0.40.12",
        "too_long": "refused",
    }  # fmt: skip


async def test_a_client_that_leaves_stops_no_look() -> None:
    ollama = Ollama((400, REFUSAL))
    known = facts(ollama)
    first = asyncio.create_task(known.cuts(MODELS["chat"], SILENCE_S))
    await asyncio.sleep(1)
    first.cancel()
    assert not await known.cuts(MODELS["chat"], SILENCE_S)
    assert len(ollama.asked) == 2


async def test_one_that_evaluates_is_left_soon() -> None:
    began_s = asyncio.get_running_loop().time()
    await facts(Ollama(None)).cuts(MODELS["chat"], SILENCE_S)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(20 + CHECK_S, abs=0.1)


async def test_who_cuts_is_asked_again_once_it_may_have_been_replaced() -> None:
    ollama = Ollama((200, {}), (400, REFUSAL))
    known = facts(ollama)
    assert await known.cuts(MODELS["chat"], SILENCE_S)
    assert await known.cuts(MODELS["chat"], SILENCE_S)
    assert len(ollama.asked) == 2
    await asyncio.sleep(BAD_S)
    assert not await known.cuts(MODELS["chat"], SILENCE_S)


async def test_what_was_good_is_looked_at_again_while_it_serves() -> None:
    ollama = Ollama((400, REFUSAL), (200, {}))
    known = facts(ollama)
    await known.cuts(MODELS["chat"], SILENCE_S)
    await asyncio.sleep(GOOD_S)
    began_s = asyncio.get_running_loop().time()
    assert not await known.cuts(MODELS["chat"], SILENCE_S)
    assert asyncio.get_running_loop().time() == began_s, "nobody waits for it"
    await asyncio.sleep(CHECK_S + 20)
    assert await known.cuts(MODELS["chat"], SILENCE_S)


async def test_an_engine_that_is_away_is_away() -> None:
    ollama = Ollama((400, REFUSAL))
    ollama.loads = aiohttp.ClientConnectionError()
    known = facts(ollama)
    with pytest.raises(aiohttp.ClientConnectionError):
        await known.cuts(MODELS["chat"], SILENCE_S)
    ollama.loads = 200
    assert not await known.cuts(MODELS["chat"], SILENCE_S)
    assert len(ollama.asked) == 3, "the failure was not remembered"


@pytest.mark.parametrize(("name", "status"), [("chat", 404), ("endless", 200)])
async def test_without_a_model_or_a_context_there_is_nothing_to_find_out(
    name: str, status: int
) -> None:
    ollama = Ollama()
    ollama.loads = status
    assert not await facts(ollama).cuts(MODELS[name], SILENCE_S)
    assert len(ollama.asked) == 1


@pytest.mark.parametrize(
    ("version", "follows"),
    [("0.24.0", False), ("0.30.0-rc22", True), ("0.40.12", True), ("", True), ("novel", True)],
)
async def test_penalties_are_followed_since_there_is_one_runner(
    version: str, follows: bool
) -> None:
    assert await facts(Ollama(version=version)).follows_penalties(MODELS["chat"]) is follows
