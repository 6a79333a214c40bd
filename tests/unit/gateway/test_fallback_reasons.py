"""Why an engine did not answer, in one word."""

from __future__ import annotations

import pytest

from synapse_gateway.fallback_reasons import reason_of


@pytest.mark.parametrize(
    ("status", "text", "code", "expected"),
    [
        (400, "This model's maximum context length is 10 tokens", "", "context"),
        (400, "too long", "context_length_exceeded", "context"),
        (400, "the prompt talks about a timeout while connecting", "", "refused"),
        (415, "", "", "refused"),
        (408, "", "", "timeout"),
        (500, "Timeout on reading data from socket", "", "failed"),
        (502, "boom", "", "failed"),
        (503, "the context length of my patience", "", "busy"),
        (429, "", "", "busy"),
        (401, "", "", "credentials"),
        (404, "", "", "missing"),
        (503, "", "gpu_released", "gpu_released"),
        (200, "", "engine_lost", "engine_lost"),
        (503, "", "made_up_by_somebody", "busy"),
        (400, '{"error":{"code":"gpu_released"}}', "", "refused"),
    ],
)
def test_reason_of_looks_at_the_code_and_the_status_first(
    status: int, text: str, code: str, expected: str
) -> None:
    assert reason_of(status, text, code) == expected
