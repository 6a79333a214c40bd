"""What was heard, written as Speaches writes it: five formats, or a stream of events."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hearing import Stretch
from starlette.responses import JSONResponse, Response, StreamingResponse


def streamed(heard: Iterable[Stretch]) -> Response:
    """Tell every stretch as soon as it was heard; the last event has no text, as in Speaches."""
    return StreamingResponse(_events(heard), media_type="text/event-stream")


def written(form: str, task: str, heard: list[Stretch], seconds: float, words: bool) -> Response:
    """Write a transcript in one of the formats; word times only where they were asked for."""
    text = "".join(stretch.text for stretch in heard).strip()
    match form:
        case "text":
            return Response(text, media_type="text/plain")
        case "srt":
            return Response(_lines(heard, _srt), media_type="text/plain")
        case "vtt":
            return Response(_lines(heard, _vtt), media_type="text/vtt")
        case "verbose_json":
            told = {"language": "en", "duration": seconds, "text": text, "segments": _listed(heard)}
            if task == "transcribe":
                told["words"] = _words(heard) if words else None
            return JSONResponse(told)
    extra = {"logprobs": None, "usage": None} if task == "transcribe" else {}
    return JSONResponse({"text": text, **extra})


def _events(heard: Iterable[Stretch]) -> Iterator[str]:
    for stretch in heard:
        yield _event({"type": "transcript.text.delta", "delta": stretch.text})
    yield _event({"type": "transcript.text.done", "text": ""})


def _event(told: dict[str, Any]) -> str:
    return f"data: {json.dumps({**told, 'logprobs': None})}\n\n"


def _listed(heard: list[Stretch]) -> list[dict[str, Any]]:
    unknown = {"seek": 0, "tokens": [], "temperature": 0.0}
    unknown |= {"avg_logprob": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
    return [
        {"id": number, "start": one.start, "end": one.end, "text": one.text, **unknown}
        for number, one in enumerate(heard, start=1)
    ]


def _words(heard: list[Stretch]) -> list[dict[str, Any]]:
    return [
        {"word": f" {word.text}", "start": word.start, "end": word.end}
        for stretch in heard
        for word in stretch.words
    ]


def _lines(heard: list[Stretch], line: Callable[[int, Stretch], str]) -> str:
    return "".join(line(number, stretch) for number, stretch in enumerate(heard))


def _srt(number: int, stretch: Stretch) -> str:
    times = f"{_clock(stretch.start, ',')} --> {_clock(stretch.end, ',')}"
    return f"{number + 1}\n{times}\n{stretch.text}\n\n"


def _vtt(number: int, stretch: Stretch) -> str:
    """Write one cue; the first begins with the file's head and at zero, whenever it was said."""
    head, start = ("WEBVTT\n\n", 0.0) if number == 0 else ("", stretch.start)
    return f"{head}{_clock(start, '.')} --> {_clock(stretch.end, '.')}\n{stretch.text}\n\n"


def _clock(seconds: float, point: str) -> str:
    whole, thousandths = divmod(int(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"
