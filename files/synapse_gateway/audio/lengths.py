"""How much audio there was, where an engine's answer tells it."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from synapse_common.protocol import SAMPLE_RATE

SAMPLE_BYTES = 2
HEADERS = {"audio/pcm": 0, "audio/wav": 44}
"""Answers whose length in bytes tells seconds, and the bytes before their first sample."""


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
