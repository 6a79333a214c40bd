"""Why an engine did not answer, in one word."""

from __future__ import annotations

import pytest

from synapse_gateway.fallback_reasons import reason_of


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "This model's maximum context length is 10 tokens", "context"),
        (400, "litellm.ContextWindowExceededError: too long", "context"),
        (400, "the prompt talks about a timeout while connecting", "refused"),
        (408, "", "timeout"),
        (500, "Timeout on reading data from socket", "timeout"),
        (500, "Cannot connect to host x", "unreachable"),
        (500, "boom", "failed"),
        (502, "boom", "failed"),
        (503, "the context length of my patience", "busy"),
        (429, "", "busy"),
        (401, "", "credentials"),
        (404, "", "missing"),
        (503, 'ServiceUnavailableError: x - {"error":{"code":"gpu_released"}}', "gpu_released"),
        (503, "Error code: 503 - {'error': {'code': 'queue_full'}}", "queue_full"),
        (500, '{"error":{"message":"connect timeout","code":"engine_lost"}}', "engine_lost"),
        (503, '{"error":{"code":"made_up_by_somebody"}}', "busy"),
        (400, '{"error":{"code":"gpu_released"}}', "refused"),
    ],
)
def test_reason_of_looks_at_the_status_first(status: int, text: str, expected: str) -> None:
    assert reason_of(status, text) == expected
