"""The health table's lines about models that hear and speak, as their engines list them."""

import io
import json
import wave
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from synapse_cli.cluster import Answer
from synapse_cli.table import Row
from synapse_common.engines import AUDIO_KINDS, deployed

ENGINES = tuple(engine for engine in deployed() if set(engine.kinds) & set(AUDIO_KINDS))
RATE = 16_000


def speech_rows(engine: str, models: Iterable[dict[str, Any]], listed: Answer) -> Iterator[Row]:
    """One row a model of one engine: ready when the engine lists it, else missing."""
    there = (
        {entry["id"] for entry in json.loads(listed.body)["data"]}
        if listed.status == httpx.codes.OK
        else set()
    )
    for model in models:
        ready = model["served_name"] in there
        yield Row(engine, model["name"], "on disk" if ready else "missing", ready, listed.latency_s)


def small_request(name: str, kind: str) -> tuple[str, dict[str, Any]] | None:
    """The path and body of one small request for a model that hears or speaks; None for others."""
    if kind == "speech":
        return "/v1/audio/speech", {"json": {"model": name, "input": "Health."}}
    if kind == "transcription":
        files = {"file": ("silence.wav", silence(seconds=1))}
        return "/v1/audio/transcriptions", {"data": {"model": name}, "files": files}
    return None


def silence(seconds: int) -> bytes:
    """A WAV file in which nothing is said."""
    written = io.BytesIO()
    with wave.open(written, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(bytes(2 * RATE * seconds))
    return written.getvalue()
