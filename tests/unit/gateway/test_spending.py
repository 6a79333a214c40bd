"""What an attempt outside costs, by how it ends; and what a limit says."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from prometheus_client import Gauge

from relayed import Client, config, model, places
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.config import Config, Model
from synapse_gateway.relay import chain
from synapse_gateway.relay.failure import Failure
from synapse_gateway.response import ClientLeft, ResponseWriter
from synapse_gateway.usage.spending import LONGEST, Spending
from synapse_gateway.usage.tariffs import Tariff, Took
from synapse_gateway.usage.usage import Usage

CHAT = "/v1/chat/completions"
PRICE = {"input_usd_per_million": 1e6, "output_usd_per_million": 1e6}
"""A dollar for each token."""
MOST = Took(tokens_in=10, tokens_out=20)
MODELS = [
    model("house", "ollama", "cloud"),
    model("cloud", "openai", "house", leaves=True, price=PRICE, capabilities=["tools"]),
    model("thinker", "openai", leaves=True, price=PRICE, capabilities=["reasoning"]),
    model("riddle", "openai", leaves=True, price=PRICE),
    model("unpriced", "openai", leaves=True),
]
UNCONNECTED = aiohttp.ClientConnectorError(
    SimpleNamespace(host="h", port=1, ssl=None),  # type: ignore[arg-type]
    OSError("refused"),
)
BUSY = Failure("busy", errors.unavailable("asked"))


@dataclass
class FakeJob:
    """Asks each model, which meets it so."""

    meets: Failure | BaseException | None = None
    usage: dict[str, Any] | None = None
    counts: bool = True
    """It told that at the end of its answer."""
    heard: int = 0
    """Tokens that the client has heard by then."""
    sends: bool = True

    def suits(self, model: Model) -> bool:
        return True

    def most(self, model: Model, longest: int) -> Took:
        return MOST

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        if not model.leaves:
            await writer.answer(b"{}")
            return None
        if self.sends:
            await writer.tell_outside(model)
        writer.record.note_usage(self.usage)
        writer.record.tokens_counted = self.counts and self.usage is not None
        if self.heard:
            writer.record.estimate(5, self.heard)
            await writer.begin({"content-type": "text/event-stream"}, model)
        if isinstance(self.meets, BaseException):
            raise self.meets
        if self.meets is None:
            await writer.answer(b"{}")
        return self.meets


def known(**limits: float) -> Config:
    settings = {"monthly_usd": limits.pop("in_all")} if "in_all" in limits else {}
    apps = [{"name": "app", "models": ["*"], "may_leave": True, **limits}]
    return config(*MODELS, apps=apps, settings=settings)


async def ask(
    job: FakeJob, among: Config, usage: Usage, name: str = "cloud", stream: bool = False
) -> Client:
    """Let the chain answer one request."""
    client = Client(CHAT)
    client.record.app, client.record.stream = among.apps["app"], stream
    first = among.models[name]
    await chain.run(job, name, first, client, among, places(), Spending(among, usage))
    return client


async def spent_usd(usage: Usage) -> float:
    return sum(used.usd for used in (await usage.by_person("app")).values())


@pytest.fixture
def usage(tmp_path: Path) -> Usage:
    return Usage(tmp_path / "usage.sqlite", Gauge("kept", "", registry=None))


ENDS = [
    (FakeJob(usage={"prompt_tokens": 3, "completion_tokens": 4}), False, 7),
    (FakeJob(usage={"prompt_tokens": 30, "completion_tokens": 40}), False, 70),  # more than booked
    (FakeJob(), False, 30),  # nobody told
    (FakeJob(BUSY), False, 0),
    (FakeJob(Failure("refused", errors.malformed("no"))), False, 0),
    (FakeJob(Failure("timeout", errors.timed_out("a"))), False, 30),
    (FakeJob(Failure("timeout", errors.timed_out("a"))), True, 30),  # it may have thought
    (FakeJob(UNCONNECTED), False, 0),
    (FakeJob(aiohttp.ConnectionTimeoutError()), False, 0),
    (FakeJob(aiohttp.ServerDisconnectedError()), False, 30),
    (FakeJob(aiohttp.ServerDisconnectedError(), sends=False), False, 0),
    (FakeJob(aiohttp.ServerDisconnectedError(), heard=4), True, 14),
    (FakeJob(Failure("failed", errors.interrupted("a")), heard=4), True, 14),
    (FakeJob(ClientLeft(), heard=4), True, 14),
    (FakeJob(ClientLeft()), False, 30),
    (FakeJob(ClientLeft(), heard=40), True, 50),
    (FakeJob(ClientLeft(), {"input_tokens": 3, "output_tokens": 1}, counts=False), True, 23),
    (FakeJob(ClientLeft(), {"input_tokens": 3}, counts=False, heard=4), True, 7),
    (FakeJob(ClientLeft(), {"prompt_tokens": 3, "completion_tokens": 5}), True, 8),
    (FakeJob(asyncio.CancelledError()), True, 30),
    (FakeJob(ClientLeft(), sends=False), False, 0),
]


@pytest.mark.parametrize("limits", [{}, {"monthly_usd": 1000.0}, {"in_all": 1000.0}])
@pytest.mark.parametrize(("job", "stream", "usd"), ENDS)
async def test_each_end_has_its_cost(
    usage: Usage, job: FakeJob, stream: bool, usd: int, limits: dict[str, float]
) -> None:
    with contextlib.suppress(Refusal, ClientLeft, asyncio.CancelledError):
        await ask(replace(job), known(**limits), usage, stream=stream)
    assert await spent_usd(usage) == usd
    await usage.close()


@pytest.mark.parametrize(("name", "usd"), [("cloud", 14), ("thinker", 30), ("riddle", 30)])
async def test_who_may_think_unseen_is_paid_for_all_of_it(
    usage: Usage, name: str, usd: int
) -> None:
    with pytest.raises(ClientLeft):
        await ask(FakeJob(ClientLeft(), heard=4), known(), usage, name, stream=True)
    assert await spent_usd(usage) == usd
    await usage.close()


async def test_clients_that_leave_before_the_first_word_do_not_pass_the_limit(
    usage: Usage,
) -> None:
    among = known(monthly_usd=100.0)
    for _ in range(3):
        with pytest.raises(ClientLeft):
            await ask(FakeJob(ClientLeft()), among, usage, stream=True)
    with pytest.raises(Refusal, match=r"\$10\.0000 of \$100\.00"):
        await ask(FakeJob(ClientLeft()), among, usage, stream=True)
    await usage.close()


async def test_an_answer_is_booked_as_long_as_it_may_become(
    usage: Usage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tariffs = {"known": Tariff(longest=500), "other": Tariff()}
    monkeypatch.setattr("synapse_gateway.usage.tariffs.listed", lambda kinds: tariffs)
    models = [
        model("known", "litellm", leaves=True, listed_as="known"),
        model("short", "litellm", leaves=True, listed_as="known", context=300),
        model("other", "litellm", leaves=True, listed_as="other"),
        model("written", "openai", leaves=True, price=PRICE),
        model("small", "openai", leaves=True, price=PRICE, context=4096),
    ]
    among = config(*models)
    spending = Spending(among, usage)
    found = [spending.longest(each) for each in among.models.values()]
    assert found == [500, 300, LONGEST, LONGEST, 4096]
    await usage.close()


async def test_the_price_of_all_attempts_is_in_the_log(usage: Usage) -> None:
    job = FakeJob(usage={"prompt_tokens": 3, "completion_tokens": 4})
    line = (await ask(job, known(), usage)).record.line()
    assert (line["outside"], line["usd"]) == (True, 7)
    stayed = (await ask(FakeJob(), known(), usage, "house")).record.line()
    assert (stayed["outside"], "usd" in stayed) == (False, False)
    await usage.close()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"monthly_usd": 29.0}, r"up to \$30\.0000 .* \$29\.0000 of \$29\.00 .*application 'app'"),
        ({"in_all": 29.0}, r"up to \$30\.0000 .* \$29\.0000 of \$29\.00 .*gateway_monthly_usd"),
        ({"monthly_usd": 31.0, "in_all": 29.0}, "gateway_monthly_usd"),
    ],
)
async def test_what_might_pass_a_limit_does_not_leave(
    usage: Usage, limits: dict[str, float], words: str
) -> None:
    client = None
    with pytest.raises(Refusal, match=words) as found:
        client = await ask(FakeJob(), known(**limits), usage)
    assert client is None
    assert found.value.status == 429
    assert found.value.headers["x-should-retry"] == "false"
    assert await spent_usd(usage) == 0
    await usage.close()


async def test_what_is_used_up_is_told_with_the_day_on_which_it_begins_anew(usage: Usage) -> None:
    among = known(monthly_usd=30.0)
    await ask(FakeJob(), among, usage)
    with pytest.raises(Refusal, match=r"\$30\.00 a month .* used up .* anew on \d{4}-\d\d-01"):
        await ask(FakeJob(), among, usage)
    await usage.close()


async def test_without_a_price_a_limit_is_in_the_way(usage: Usage) -> None:
    with pytest.raises(Refusal, match="price of the model 'unpriced' is not known") as found:
        await ask(FakeJob(), known(in_all=5.0), usage, "unpriced")
    assert (found.value.status, found.value.code) == (403, "price_unknown")
    assert (await ask(FakeJob(), known(), usage, "unpriced")).record.nano_usd is None
    await usage.close()


async def test_a_chain_that_forgot_who_may_leave_would_be_stopped_before_it_asks(
    usage: Usage,
) -> None:
    among = config(*MODELS)
    client = Client(CHAT)
    client.record.app = among.apps["app"]
    with pytest.raises(Refusal, match="is outside the house"):
        await Spending(among, usage).book(client.record, among.models["cloud"], MOST)
    await usage.close()
