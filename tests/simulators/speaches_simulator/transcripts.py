"""What was heard, written as Speaches writes it: five formats, or a stream of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from fastapi.responses import JSONResponse, Response, StreamingResponse

Form = Literal["text", "json", "verbose_json", "srt", "vtt"]
NUMBERS = ("id", "seek", "start", "end", "text", "tokens")
GUESSES = ("avg_logprob", "compression_ratio", "no_speech_prob")


def streamed(segments: Iterator[Any]) -> Response:
    """Tell every segment as soon as it was heard; the last event has no text, as in Speaches."""

    def events() -> Iterator[str]:
        for segment in segments:
            yield _event({"type": "transcript.text.delta", "delta": segment.text})
        yield _event({"type": "transcript.text.done", "text": ""})

    return StreamingResponse(events(), media_type="text/event-stream")


def written(form: Form, task: str, segments: list[Any], info: Any, words: bool) -> Response:
    """Write a transcript in one of the formats; word times only where they were asked for."""
    text = "".join(segment.text for segment in segments).strip()
    match form:
        case "text":
            return Response(text, media_type="text/plain")
        case "srt":
            return Response(_cues(segments, _srt), media_type="text/plain")
        case "vtt":
            return Response(_cues(segments, _vtt), media_type="text/vtt")
        case "verbose_json":
            told = {"language": info.language, "duration": info.duration, "text": text}
            told["segments"] = [_told(segment) for segment in segments]
            if task == "transcribe":
                told["words"] = _words(segments) if words else None
            return JSONResponse(told)
    extra = {"logprobs": None, "usage": None} if task == "transcribe" else {}
    return JSONResponse({"text": text, **extra})


def _event(told: dict[str, Any]) -> str:
    return f"data: {json.dumps({**told, 'logprobs': None})}\n\n"


def _told(segment: Any) -> dict[str, Any]:
    told = {name: getattr(segment, name) for name in (*NUMBERS, *GUESSES)}
    return {**told, "temperature": segment.temperature or 0}


def _words(segments: list[Any]) -> list[dict[str, Any]]:
    return [
        {"word": word.word, "start": word.start, "end": word.end}
        for segment in segments
        for word in segment.words or []
    ]


def _cues(segments: list[Any], cue: Callable[[int, Any], str]) -> str:
    return "".join(cue(number, segment) for number, segment in enumerate(segments))


def _srt(number: int, segment: Any) -> str:
    times = f"{_clock(segment.start, ',')} --> {_clock(segment.end, ',')}"
    return f"{number + 1}\n{times}\n{segment.text}\n\n"


def _vtt(number: int, segment: Any) -> str:
    """Write one cue; the first begins with the file's head and at zero, whenever it was said."""
    head, start = ("WEBVTT\n\n", 0.0) if number == 0 else ("", segment.start)
    return f"{head}{_clock(start, '.')} --> {_clock(segment.end, '.')}\n{segment.text}\n\n"


def _clock(seconds: float, point: str) -> str:
    whole, thousandths = divmod(int(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"
