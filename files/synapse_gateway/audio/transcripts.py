"""Writes a transcript in the format that the client asked for."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import orjson

from synapse_gateway.audio import cues
from synapse_gateway.audio.cues import Cue
from synapse_gateway.audio.fields import FORMAT, TIMES
from synapse_gateway.audio.request import AudioRequest
from synapse_gateway.audio.stream import EVENTS, streamed
from synapse_gateway.audio.transcript import Transcript

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
VTT = "text/vtt; charset=utf-8"


def silent(request: AudioRequest) -> tuple[str, bytes]:
    """Return content type and body of the answer that nothing was said."""
    heard = Transcript(text="", language=request.field("language"), duration=request.audio_s)
    return written(heard, request)


def written(heard: Transcript, request: AudioRequest) -> tuple[str, bytes]:
    """Return content type and body of a transcript."""
    if request.stream:
        return EVENTS, streamed(heard.text)
    match request.field(FORMAT):
        case "text":
            return TEXT, heard.text.encode()
        case "srt":
            return TEXT, "".join(map(_srt, enumerate(cues.cut(heard), start=1))).encode()
        case "vtt":
            return VTT, "".join(["WEBVTT\n\n", *map(_vtt, cues.cut(heard))]).encode()
        case "verbose_json":
            return JSON, orjson.dumps(_verbose(heard, request))
    return JSON, orjson.dumps({"text": heard.text})


def _srt(numbered: tuple[int, Cue]) -> str:
    number, cue = numbered
    times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
    return _block(str(number), times, *cue.lines)


def _vtt(cue: Cue) -> str:
    times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
    return _block(times, *(escape(line, quote=False) for line in cue.lines))


def _block(*lines: str) -> str:
    return "\n".join([*lines, "\n"])


def _clock(seconds: float, point: str) -> str:
    rest, ms = divmod(round(seconds * 1000), 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{ms:03}"


def _verbose(heard: Transcript, request: AudioRequest) -> dict[str, Any]:
    told = {
        "task": "translate" if request.is_translation else "transcribe",
        "language": heard.language or "",
        "duration": heard.duration or 0.0,
        "text": heard.text,
        "segments": _segments(cues.cut(heard)),
    }
    return told | ({"words": _words(heard)} if (TIMES, "word") in request.form else {})


def _segments(found: Iterable[Cue]) -> list[dict[str, Any]]:
    """Return segments as OpenAI describes them; what tokens each has is not known."""
    return [
        {
            "id": number,
            "seek": cue.segment.seek or 0,
            "start": round(cue.start_s, 3),
            "end": round(cue.end_s, 3),
            "text": cue.text,
            "tokens": [],
            "temperature": cue.segment.temperature or 0,
            "avg_logprob": cue.segment.avg_logprob or 0,
            "compression_ratio": cue.segment.compression_ratio or 0,
            "no_speech_prob": cue.segment.no_speech_prob or 0,
        }
        for number, cue in enumerate(found)
    ]


def _words(heard: Transcript) -> list[dict[str, Any]]:
    """Return words as OpenAI writes them, without the blank before each."""
    return [
        {"word": word.word.strip(), "start": round(word.start, 3), "end": round(word.end, 3)}
        for _, word in heard.spoken()
    ]
