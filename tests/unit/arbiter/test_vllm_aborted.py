"""How many requests an engine says that it aborted."""

from typing import Any

import aiohttp
import pytest

from synapse_arbiter.engine.vllm_client import Vllm


class Metrics:
    """Stands in for the connection to an engine: its metrics, as they are now."""

    def __init__(self) -> None:
        """Nothing was aborted yet."""
        self.aborted: float | None = 0.0
        self.status = 200
        self.error: Exception | None = None

    def request(self, method: str, url: str, **_: object) -> Any:
        """Ask for the metrics."""
        assert (method, url) == ("GET", "http://engine:8000/metrics")
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


def counting() -> tuple[Vllm, Metrics]:
    """Return an engine and what its metrics are read from."""
    metrics = Metrics()
    return Vllm("a", "http://engine:8000", "chat", metrics, 5.0), metrics  # type: ignore[arg-type]


async def test_what_all_ranks_aborted_is_added_up() -> None:
    engine, metrics = counting()
    assert await engine.aborted() == 2.0
    metrics.aborted = 1.0
    assert await engine.aborted() == 3.0


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
async def test_a_count_that_is_not_told_is_unknown_and_not_zero(unreadable: dict[str, Any]) -> None:
    engine, metrics = counting()
    vars(metrics).update(unreadable)
    assert await engine.aborted() is None
