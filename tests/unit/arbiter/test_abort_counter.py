"""Whose doing the requests were that an engine counts as aborted."""

import asyncio
from typing import Any

import aiohttp
import pytest

from synapse_arbiter.engine.abort_counter import SETTLE_S, AbortCounter

pytestmark = pytest.mark.looptime


class Metrics:
    """Stands in for the connection to an engine: its metrics, as they are now."""

    def __init__(self) -> None:
        """Nothing was aborted yet."""
        self.aborted: float | None = 0.0
        self.status = 200
        self.error: Exception | None = None

    def get(self, url: str, timeout: aiohttp.ClientTimeout) -> Any:
        """Ask for the metrics."""
        assert url == "http://engine:8000/metrics"
        return self

    async def __aenter__(self) -> Any:
        """Answer, or fail."""
        if self.error is not None:
            raise self.error
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the answer."""

    async def read(self) -> bytes:
        """Return the metrics as vLLM writes them, with those of two ranks."""
        if self.aborted is None:
            return b"vllm:num_requests_running 0\n"
        named = (
            b'vllm:request_success_total{engine="%d",finished_reason="%s",model_name="a"} %.1f\n'
        )
        return b"# HELP vllm:request_success_total Count.\n" + b"".join(
            named % line
            for line in ((0, b"stop", 9), (0, b"abort", self.aborted), (1, b"abort", 2.0))
        )


def counting() -> tuple[AbortCounter, Metrics]:
    """Return a counter and what it reads."""
    metrics = Metrics()
    return AbortCounter("http://engine:8000", metrics, 5.0), metrics  # type: ignore[arg-type]


async def test_a_rise_that_is_not_our_doing_is_told() -> None:
    counter, metrics = counting()
    mark = await counter.mark()
    assert not await counter.unexplained(mark)
    metrics.aborted = 1.0
    assert await counter.unexplained(mark)


async def test_what_we_aborted_meanwhile_explains_a_rise_of_as_much() -> None:
    counter, metrics = counting()
    mark = await counter.mark()
    counter.charge(2)
    assert not await counter.unexplained(mark), "some versions count none of them"
    metrics.aborted = 2.0
    assert not await counter.unexplained(mark)
    metrics.aborted = 3.0
    assert await counter.unexplained(mark)


async def test_what_we_aborted_just_before_may_be_counted_late() -> None:
    counter, metrics = counting()
    counter.charge(1)
    await asyncio.sleep(SETTLE_S / 2)
    early = await counter.mark()
    metrics.aborted = 1.0
    assert not await counter.unexplained(early)
    await asyncio.sleep(SETTLE_S)
    late = await counter.mark()
    metrics.aborted = 2.0
    assert await counter.unexplained(late), "it was counted long ago"


@pytest.mark.parametrize(
    "unreadable",
    [
        {"aborted": None},
        {"status": 503},
        {"error": aiohttp.ClientConnectionError()},
        {"error": TimeoutError()},
    ],
    ids=["no-counter", "failing", "away", "silent"],
)
async def test_an_engine_that_never_told_is_believed_one_that_stopped_telling_is_not(
    unreadable: dict[str, Any],
) -> None:
    counter, metrics = counting()
    known = await counter.mark()
    vars(metrics).update(unreadable)
    assert await counter.unexplained(known)
    unknown = await counter.mark()
    vars(metrics).update(aborted=99.0, status=200, error=None)
    assert not await counter.unexplained(unknown)


async def test_an_engine_that_started_anew_counts_from_zero() -> None:
    counter, metrics = counting()
    metrics.aborted = 5.0
    mark = await counter.mark()
    metrics.aborted = 1.0
    assert not await counter.unexplained(mark)
