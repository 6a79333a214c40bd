"""Stands in for Speaches: its paths and its words, with pocketsphinx and some words.

As Speaches does, it serves what has a model card in Hugging Face's cache, without a restart.
"""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import uvicorn
from pocketsphinx import Decoder
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

RATE = 16000
FRAME_S = 0.01
MODELS = Path(os.environ.get("HF_HOME", "/tmp/huggingface")) / "hub"
UPLOAD_MIB = 200
# All it knows: with a whole dictionary to choose from it understands hardly a word of espeak-ng.
WORDS = (
    "a again and answer bring cat dog door evening for garden good green hello house in is kettle"
    " kitchen light lights living mat me model morning music now off on open please room sat server"
    " sings sleeps small tea tell test the this turn water weather what who world you"
)
GRAMMAR = f"#JSGF V1.0; grammar home; public <said> = ( {WORDS.replace(' ', ' | ')} )+ ;"


def main() -> None:
    """Serve until told to stop."""
    host, port = os.environ.get("UVICORN_HOST", "127.0.0.1"), os.environ.get("UVICORN_PORT", "8000")
    uvicorn.run(app(), host=host, port=int(port), log_config=None)


def app() -> Starlette:
    """Return the application."""
    return Starlette(
        routes=[
            Route("/v1/audio/transcriptions", hear, methods=["POST"]),
            Route("/v1/audio/translations", hear, methods=["POST"]),
            Route("/v1/models", models),
            Route("/health", health),
        ]
    )


async def health(_: Request) -> Response:
    """Say that the process answers."""
    return JSONResponse({"message": "OK"})


async def models(_: Request) -> Response:
    """List what is on the volume."""
    data = [{"id": name, "object": "model", "owned_by": name.split("/")[0]} for name in installed()]
    return JSONResponse({"object": "list", "data": data})


def installed() -> list[str]:
    """Return the models whose card is on the volume."""
    cards = MODELS.glob("models--*/snapshots/*/README.md")
    folders = {card.parents[2].name for card in cards}
    return sorted(name.removeprefix("models--").replace("--", "/") for name in folders)


async def hear(request: Request) -> Response:
    """Write down what was said, in the format that was asked for."""
    async with request.form(max_part_size=UPLOAD_MIB * 1024**2) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            return JSONResponse({"detail": "file: Field required"}, 422)
        audio = await upload.read()
        asked = {key: str(value) for key, value in form.items() if key != "file"}
    if asked.get("model") not in installed():
        return JSONResponse(
            {"detail": f"Model '{asked.get('model')}' is not installed locally."}, 404
        )
    try:
        samples, seconds = await asyncio.to_thread(decoded, audio)
    except (av.FFmpegError, IndexError, ValueError):
        return JSONResponse(
            {"detail": "Failed to decode audio. The provided file is not valid."}, 415
        )
    words = await asyncio.to_thread(understood, samples)
    return answer(asked, words, seconds)


def decoded(audio: bytes) -> tuple[bytes, float]:
    """Return one channel of 16-bit samples at 16 kHz, and how long they are."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    pieces = []
    with av.open(io.BytesIO(audio)) as container:
        for frame in container.decode(audio=0):
            pieces += [found.to_ndarray().tobytes() for found in resampler.resample(frame)]
    samples = b"".join(pieces)
    return samples, len(samples) / 2 / RATE


def understood(samples: bytes) -> list[dict[str, Any]]:
    """Return the words with their times in seconds."""
    decoder = Decoder(samprate=RATE, loglevel="FATAL", lm=None)
    decoder.add_jsgf_string("home", GRAMMAR)
    decoder.activate_search("home")
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    return [
        {"word": found.word.partition("(")[0], "start": found.start_frame * FRAME_S}
        | {"end": (found.end_frame + 1) * FRAME_S}
        for found in decoder.seg() or []
        if found.word[0] not in "<["
    ]


def answer(asked: dict[str, str], words: list[dict[str, Any]], seconds: float) -> Response:
    """Write the words in one of Speaches' formats."""
    text = " ".join(word["word"] for word in words)
    if asked.get("stream") == "true":
        return StreamingResponse(events(words, text), media_type="text/event-stream")
    end = words[-1]["end"] if words else 0.0
    match asked.get("response_format", "json"):
        case "text":
            return PlainTextResponse(text)
        case "srt":
            return PlainTextResponse(f"1\n{clock(0, ',')} --> {clock(end, ',')}\n{text}\n\n")
        case "vtt":
            return PlainTextResponse(f"WEBVTT\n\n{clock(0)} --> {clock(end)}\n{text}\n\n")
        case "verbose_json":
            segment = {"id": 0, "start": 0.0, "end": end, "text": text}
            told = {"task": "transcribe", "language": "en", "duration": seconds, "text": text}
            return JSONResponse(told | {"segments": [segment], "words": words})
        case "json":
            return JSONResponse({"text": text})
    return JSONResponse({"detail": f"response_format: '{asked['response_format']}'"}, 422)


async def events(words: list[dict[str, Any]], text: str) -> AsyncIterator[str]:
    """Tell word by word, as OpenAI's stream does."""
    for number, word in enumerate(words):
        delta = word["word"] if number == 0 else f" {word['word']}"
        yield f"data: {json.dumps({'type': 'transcript.text.delta', 'delta': delta})}\n\n"
    yield f"data: {json.dumps({'type': 'transcript.text.done', 'text': text})}\n\n"


def clock(seconds: float, point: str = ".") -> str:
    """Write a moment as subtitles do."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"


if __name__ == "__main__":
    main()
