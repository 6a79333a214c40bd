"""What a speech engine answered: why it did not serve, and how much audio there was."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from synapse_gateway import errors
from synapse_gateway.config import Model
from synapse_gateway.errors import Refusal
from synapse_gateway.reasons import reason_of

SAMPLE_RATE = "x-synapse-sample-rate"
"""How a speech engine of ours says how many samples a second it speaks."""
SAMPLE_BYTES = 2
HEADERS = {"audio/pcm": 0, "audio/wav": 44}
"""Answers whose length in bytes tells seconds, and the bytes before their first sample."""
READ_AT_MOST = 64 * 1024
SHOWN = 1000
OUTSIDE = "openai"
"""The engine of providers outside, whose words may tell what is nobody's business here."""
REFUSED = {400, 413, 415, 422}


async def failure(
    answer: aiohttp.ClientResponse, model: Model, asked: str
) -> tuple[str, Refusal] | None:
    """Return why the engine does not serve and what to tell the client; None if it serves.

    (1) what the client sent is wrong, and would be wrong for every other model, (2) the engine is
    in trouble, which the next model may not be.
    """
    if answer.status == 200:
        return None
    message, param = _told(await answer.content.read(READ_AT_MOST))
    if answer.status in REFUSED or _is_unreadable(answer.status, message):  # (1)
        own = model.backend != OUTSIDE and message and "://" not in message
        text = message if own else f"The model '{asked}' refused the request as invalid."
        return "refused", Refusal(400, "invalid_request", text[:SHOWN], param=param)
    reason = reason_of(answer.status, message)  # (2)
    if reason == "timeout":
        return reason, errors.timed_out(asked)
    wait_s = answer.headers.get("retry-after", "")
    return reason, errors.unavailable(
        asked, int(wait_s) if wait_s.isdecimal() else errors.UNAVAILABLE_RETRY_S
    )


def seconds_told(body: bytes) -> float | None:
    """Return the recording's length if a transcript tells it."""
    try:
        told = orjson.loads(body)
        return float(told["duration"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def seconds_sent(answer: aiohttp.ClientResponse, size: int) -> float | None:
    """Return the seconds of speech in that many bytes, where format and rate tell."""
    rate, header = answer.headers.get(SAMPLE_RATE, ""), HEADERS.get(answer.content_type)
    if header is None or not rate.isdecimal() or not int(rate):
        return None
    return max(0, size - header) / (int(rate) * SAMPLE_BYTES)


def _is_unreadable(status: int, message: str) -> bool:
    # Speaches answers 500 for some of the recordings that its decoder cannot read.
    return status == 500 and "decode" in message.lower()


def _told(body: bytes) -> tuple[str, str | None]:
    """Return an engine's own words, in OpenAI's shape or FastAPI's, and the field they mean."""
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", None
    if not isinstance(answer, dict):
        return "", None
    error = answer.get("error")
    if isinstance(error, dict):
        param = error.get("param")
        return str(error.get("message") or ""), param if isinstance(param, str) else None
    detail = answer.get("detail")
    return (detail, None) if isinstance(detail, str) else ("", None)
