"""Who is asked after whom, and what the client hears when nobody answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from relayed import Client, config, model, places, spending
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.config import Config, Model
from synapse_gateway.errors import NoDialect
from synapse_gateway.places import Places
from synapse_gateway.relay import chain
from synapse_gateway.relay.failure import Failure
from synapse_gateway.response import ClientLeft, ResponseWriter
from synapse_gateway.usage.tariffs import Took

CHAT = "/v1/chat/completions"
BUSY = Failure("busy", errors.unavailable("asked", 17))
SILENT = Failure("timeout", errors.timed_out("asked"))
REFUSED = Failure("refused", errors.malformed("'n' must be 1", "n"))
UNSUPPORTED = Failure("unsupported", NoDialect(CHAT, "a"))
CONTEXT = Failure("context", errors.too_long("asked", "", 10))
CUT = Failure("engine_aborted", errors.interrupted("asked"))
KNOWN = config(
    model("a", "vllm", "b", "c", context=10),
    model("b", "ollama", "d", context=30),
    model("c", "openai", context=20),
    model("d", "ollama"),
)


@dataclass
class FakeJob:
    """Meets each model with a failure, an exception or, where none is given, success."""

    meets: dict[str, Failure | Exception]
    blind: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    """Models that say something before they fail."""
    tried: list[str] = field(default_factory=list)
    known: Config = KNOWN

    def suits(self, model: Model) -> bool:
        return model.name not in self.blind

    def most(self, model: Model, longest: int) -> Took:
        return Took()

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        self.tried.append(model.name)
        met = self.meets.get(model.name)
        if model.name in self.says:
            await writer.begin({"content-type": "text/event-stream"}, model)
            writer.record.is_answered = True
        if isinstance(met, Exception):
            raise met
        if met is None:
            await writer.answer(b"{}")
        return met


def run(job: FakeJob, among: Places | None = None) -> Client:
    client = Client(CHAT)
    first = job.known.models["a"]
    held = among or places()
    asyncio.run(chain.run(job, "asked", first, client, job.known, held, spending(job.known)))
    return client


def refused(**meets: Any) -> tuple[Refusal, list[str]]:
    job = FakeJob(meets)
    with pytest.raises(Refusal) as found:
        run(job)
    return found.value, job.tried


@pytest.mark.parametrize(
    "met",
    [
        BUSY, SILENT, CUT, aiohttp.ClientConnectionError(), aiohttp.ClientPayloadError(),
        aiohttp.SocketTimeoutError(), ConnectionError(), TimeoutError(),
    ],
)  # fmt: skip
def test_what_another_model_can_cure_goes_on_down_the_chain(met: Failure | Exception) -> None:
    job = FakeJob({"a": met, "b": met})
    client = run(job)
    assert job.tried == ["a", "b", "d"]
    reason = met.reason if isinstance(met, Failure) else client.record.reason
    assert client.record.reason == reason
    assert client.record.status == 200


def test_nobody_is_asked_twice() -> None:
    known = config(model("a", "vllm", "b"), model("b", "vllm", "a"))
    job = FakeJob({"a": BUSY, "b": BUSY}, known=known)
    with pytest.raises(Refusal):
        run(job)
    assert job.tried == ["a", "b"]


def test_a_refusal_of_the_asked_model_is_final_and_of_a_fallback_is_not() -> None:
    refusal, tried = refused(a=REFUSED)
    assert (refusal.param, tried) == ("n", ["a"])
    job = FakeJob({"a": BUSY, "b": REFUSED})
    assert run(job).record.reason == "busy"
    assert job.tried == ["a", "b", "d"]
    refusal, tried = refused(a=BUSY, b=REFUSED, d=REFUSED, c=REFUSED)
    assert (refusal.status, refusal.headers["retry-after"], len(tried)) == (503, "17", 4)


def test_what_the_asked_engine_cannot_do_is_told_and_a_fallback_that_cannot_is_passed_by() -> None:
    refusal, tried = refused(a=UNSUPPORTED)
    assert (refusal.code, tried) == ("unsupported_route", ["a"])
    job = FakeJob({"a": BUSY, "b": UNSUPPORTED})
    assert run(job).record.reason == "busy"
    assert job.tried == ["a", "b", "d"]


def test_a_fallback_that_does_not_suit_is_not_asked() -> None:
    job = FakeJob({"a": BUSY}, blind=("a", "b"))
    run(job)
    assert job.tried == ["a", "d"], "the asked model is judged elsewhere, in words of its own"


def test_what_is_too_long_goes_only_where_there_is_more_room() -> None:
    job = FakeJob({"a": CONTEXT, "b": CONTEXT})
    run(job)
    assert job.tried == ["a", "b", "d"], "d may have room, nobody knows"
    job = FakeJob({"a": CONTEXT, "b": CONTEXT, "d": CONTEXT})
    with pytest.raises(Refusal) as found:
        run(job)
    assert found.value.code == "context_length_exceeded"
    assert job.tried == ["a", "b", "d"], "c has less room than b"


def test_a_fallback_that_is_too_small_is_no_reason_to_skip_those_with_room() -> None:
    small, larger = model("b", "ollama", context=5), model("c", "ollama", context=9)
    known = config(model("a", "vllm", "b", "c"), small, larger)
    job = FakeJob({"a": BUSY, "b": CONTEXT}, known=known)
    run(job)
    assert job.tried == ["a", "b", "c"]


def test_of_a_model_whose_context_nobody_knows_every_fallback_is_asked() -> None:
    known = config(model("a", "vllm", "b"), model("b", "ollama", context=5))
    job = FakeJob({"a": CONTEXT}, known=known)
    run(job)
    assert job.tried == ["a", "b"]


def test_a_fallback_without_a_free_place_is_passed_by_and_the_asked_model_says_so() -> None:
    among = places(1)
    job = FakeJob({"a": BUSY})
    with among.at("b"):
        assert run(job, among).record.reason == "busy"
    assert job.tried == ["a", "d"]
    job = FakeJob({})
    with among.at("a"), pytest.raises(Refusal) as found:
        run(job, among)
    assert (found.value.status, job.tried) == (429, []), "its fallbacks are not there for that"


@dataclass
class LookingJob(FakeJob):
    """Looks which places are taken while a model is asked."""

    among: Places = field(default_factory=lambda: places(1))
    taken: list[list[str]] = field(default_factory=list)

    def most(self, model: Model, longest: int) -> Took:
        return Took()

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        self.taken.append([name for name in "abcd" if self.among.is_full(name)])
        return await super().attempt(writer, model)


def test_a_request_has_the_place_of_the_model_that_it_waits_for_and_no_other() -> None:
    job = LookingJob({"a": BUSY, "b": ConnectionError()})
    run(job, job.among)
    assert job.taken == [["a"], ["b"], ["d"]]
    assert not any(map(job.among.is_full, "abcd"))


@pytest.mark.parametrize(
    ("meets", "code"),
    [
        ({"a": BUSY, "b": SILENT, "c": SILENT, "d": SILENT}, "model_unavailable"),
        ({"a": SILENT, "b": BUSY, "c": BUSY, "d": BUSY}, "model_timeout"),
        ({"a": CONTEXT, "b": BUSY, "c": BUSY, "d": BUSY}, "context_length_exceeded"),
        ({"a": BUSY, "b": CONTEXT, "c": CONTEXT, "d": CONTEXT}, "model_unavailable"),
        ({"a": BUSY, "b": UNSUPPORTED, "c": UNSUPPORTED, "d": UNSUPPORTED}, "model_unavailable"),
        ({"a": CUT, "b": BUSY, "c": BUSY, "d": BUSY}, "answer_interrupted"),
    ],
)
def test_the_client_hears_what_the_asked_model_met(meets: dict[str, Any], code: str) -> None:
    refusal, _ = refused(**meets)
    assert refusal.code == code
    if code == "model_unavailable":
        assert refusal.headers["retry-after"] == "17", "when that one can be asked again"


@pytest.mark.parametrize("met", [BUSY, REFUSED, ConnectionError()])
def test_after_the_first_words_no_other_model_speaks(met: Failure | Exception) -> None:
    job = FakeJob({"a": met}, says=("a",))
    client = run(job)
    assert job.tried == ["a"]
    assert b"answer_interrupted" in client.heard
    assert (client.record.status, client.record.error) == (502, "answer_interrupted")


def test_a_client_that_left_is_asked_for_no_more() -> None:
    job = FakeJob({"a": ClientLeft()})
    with pytest.raises(ClientLeft):
        run(job)
    assert job.tried == ["a"]
