"""From a request to the first model of its chain that answers."""

from __future__ import annotations

from typing import Protocol

import aiohttp

from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.config import Config, Model
from synapse_gateway.places import RETRY_S, Places
from synapse_gateway.relay.engines import UNREACHED
from synapse_gateway.relay.failure import Failure, of_exception
from synapse_gateway.response import ResponseWriter
from synapse_gateway.usage.spending import FREE, Spending
from synapse_gateway.usage.tariffs import Took

UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
UNCERTAIN = ("timeout", "engine_silent", "engine_aborted", "answer_truncated", "answer_too_large")
"""Why a model did not serve although it may have worked, and want its money."""


class Job(Protocol):
    """One request, which can be sent to one model after another."""

    def suits(self, model: Model) -> bool:
        """Say whether a fallback can do what is asked."""

    def most(self, model: Model, longest: int) -> Took:
        """Return the most that a model outside may take for it, as far as one can tell.

        An answer has up to so many tokens where the request sets no limit.
        """

    async def attempt(self, writer: ResponseWriter, model: Model) -> Failure | None:
        """Ask one model; return why it did not serve, None if it did.

        Raises UNREACHED when the engine does not answer, or stops in the middle.
        """


async def run(
    job: Job,
    asked: str,
    first: Model,
    writer: ResponseWriter,
    config: Config,
    places: Places,
    spending: Spending,
) -> None:
    """Let one model after another try until one has answered; raise Refusal if none does.

    A model that fails once its first words are with the client ends the answer with an error. A
    fallback at which the application has no place left, or no money, is passed by.
    """
    record = writer.record
    failures: list[Failure] = []
    full = 0  # the largest context that was too small
    for model in config.chain(first, record.app):
        has_room = model.context is None or model.context > full
        if model is not first and not (job.suits(model) and has_room):
            continue
        if model is not first and places.is_full(model.name):
            failures.append(Failure("busy", errors.unavailable(asked, RETRY_S)))
            continue
        with places.at(model.name):
            try:
                failed = await _attempt(job, asked, writer, model, spending)
            except errors.Unaffordable as unaffordable:
                if model is first:
                    raise
                failed = Failure("budget", unaffordable)
        if failed is None:
            return
        record.reason = record.reason or failed.reason
        if writer.finished:
            return
        if record.is_answered:
            await writer.refuse(errors.interrupted(asked))
            return
        if failed.is_final and not failures:
            raise failed.refusal  # a fallback's may be for what the asked model can do
        if failed.reason == "context":
            full = max(full, model.context or 0)
        failures.append(failed)
    raise _told(failures, asked)


async def _attempt(
    job: Job, asked: str, writer: ResponseWriter, model: Model, spending: Spending
) -> Failure | None:
    """Ask one model, one outside once its cost is booked; return why it did not serve."""
    record = writer.record
    outlay = FREE
    if model.leaves:
        outlay = await spending.book(record, model, job.most(model, spending.longest(model)))
    record.begin(model)
    try:
        failed = await job.attempt(writer, model)
    except UNREACHED as error:
        outlay.failed(was_sent=not isinstance(error, UNCONNECTED))
        return of_exception(error, asked)
    except BaseException:  # the client left, or the answer was broken off
        outlay.failed(was_sent=True)
        raise
    if failed is None:
        outlay.answered()
    else:
        outlay.failed(was_sent=record.is_answered or failed.reason in UNCERTAIN)
    return failed


def _told(failures: list[Failure], asked: str) -> Refusal:
    """Return what the client hears: what it can mend, else the trouble that came first."""
    if not failures:
        return errors.unavailable(asked)
    first = failures[0].refusal
    if failures[0].reason == "context":
        return first
    return next((each.refusal for each in failures if each.refusal.status >= 500), first)
