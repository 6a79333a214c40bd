"""What a speech engine answered: why it did not serve, and how much audio there was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from synapse_common.protocol import SAMPLE_RATE
from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.config import Model
from synapse_gateway.fallback_reasons import reason_of

SAMPLE_BYTES = 2
HEADERS = {"audio/pcm": 0, "audio/wav": 44}
"""Answers whose length in bytes tells seconds, and the bytes before their first sample."""
READ_AT_MOST = 64 * 1024
SHOWN = 1000
REFUSED = {400, 413, 415, 422}


@dataclass(frozen=True)
class EngineError:
    """What an engine answered instead of a transcript or speech."""

    status: int
    message: str
    param: str | None
    wait_s: int

    @classmethod
    async def read(cls, answer: aiohttp.ClientResponse) -> EngineError:
        """Take in an answer whose status is not 200."""
        body = b""
        while len(body) < READ_AT_MOST and (piece := await answer.content.readany()):
            body += piece
        message, param = _told(body)
        wait_s = answer.headers.get("retry-after", "")
        return cls(
            answer.status,
            message,
            param,
            int(wait_s) if wait_s.isdecimal() else errors.UNAVAILABLE_RETRY_S,
        )

    def to_refusal(self, model: Model, asked: str) -> tuple[str, Refusal]:
        """Return why the engine does not serve, and what the client hears of it.

        (1) what the client sent is wrong, and would be wrong for every other model, (2) the engine
        is in trouble, which the next model may not be.
        """
        # Speaches answers 500 for some of the recordings that its decoder cannot read.
        unreadable = self.status == 500 and "decode" in self.message.lower()
        if self.status in REFUSED or unreadable:  # (1)
            own = not model.engine_type.is_outside and self.message and "://" not in self.message
            text = self.message if own else f"The model '{asked}' refused the request as invalid."
            return "refused", Refusal(400, "invalid_request", text[:SHOWN], param=self.param)
        reason = reason_of(self.status, self.message)  # (2)
        if reason == "timeout":
            return reason, errors.timed_out(asked)
        return reason, errors.unavailable(asked, self.wait_s)


def part_of(body: bytes, name: str) -> Any:
    """Return one part of a transcript in JSON, None if it is not there."""
    try:
        return orjson.loads(body)[name]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def seconds_told(body: bytes) -> float | None:
    """Return the recording's length if a transcript tells it."""
    told = part_of(body, "duration")
    return float(told) if isinstance(told, int | float) else None


def seconds_sent(answer: aiohttp.ClientResponse, size: int) -> float | None:
    """Return the seconds of speech in that many bytes, where format and rate tell."""
    rate, header = answer.headers.get(SAMPLE_RATE, ""), HEADERS.get(answer.content_type)
    if header is None or not rate.isdecimal() or not int(rate):
        return None
    return max(0, size - header) / (int(rate) * SAMPLE_BYTES)


def _told(body: bytes) -> tuple[str, str | None]:
    """Return an engine's words, in OpenAI's shape or FastAPI's, and the field they mean."""
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
