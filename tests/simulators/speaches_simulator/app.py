"""The routes. What nobody had thought of is Starlette's own text/plain 500, as in Speaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from faster_whisper.vad import VadOptions

from speaches_simulator import hearing, store, transcripts
from speaches_simulator.hearing import Asked
from speaches_simulator.recordings import Recording, Samples
from speaches_simulator.shelf import Shelf

GRANULARITIES: tuple[list[str], ...] = (
    [],
    ["segment"],
    ["word"],
    ["word", "segment"],
    ["segment", "word"],
)
VOICE_MODEL = "silero_vad_v5"
Model = Annotated[str, Form(min_length=1)]
Text = Annotated[str | None, Form()]
Format = Annotated[transcripts.Form, Form()]
NotNegative = Annotated[int, Form(ge=0)]
router = APIRouter()


def make(shelf: Shelf) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Speaches' paths, simulated")
    app.state.shelf = shelf
    app.include_router(router)
    return app


async def granularities(request: Request) -> list[str]:
    """Read a field whose brackets FastAPI does not take; a wrong value is an error of its own."""
    form = await request.form()
    asked = [str(value) for value in form.getlist("timestamp_granularities[]")]
    assert asked in GRANULARITIES, f"{asked} is not a valid value"
    return asked


@router.post("/v1/audio/transcriptions")
def transcriptions(
    request: Request,
    audio: Recording,
    model: Model,
    times: Annotated[list[str], Depends(granularities)],
    language: Text = None,
    prompt: Text = None,
    response_format: Format = "json",
    temperature: Annotated[float, Form()] = 0.0,
    stream: Annotated[bool, Form()] = False,
    hotwords: Text = None,
    without_timestamps: Annotated[bool, Form()] = True,
) -> Response:
    """Write down what was said."""
    store.demand(model)
    words = "word" in times
    asked = Asked(language, prompt, temperature, words, hotwords, without_timestamps)
    if stream:
        return transcripts.streamed(_heard(request.app.state.shelf, model, audio, asked))
    with request.app.state.shelf.loaded(model) as loaded:
        segments, info = hearing.transcribe(loaded, audio, asked)
        return transcripts.written(response_format, "transcribe", list(segments), info, words)


@router.post("/v1/audio/translations")
def translations(
    request: Request,
    audio: Recording,
    model: Model,
    prompt: Text = None,
    response_format: Format = "json",
    temperature: Annotated[float, Form()] = 0.0,
) -> Response:
    """Write down in English what was said."""
    store.demand(model)
    asked = Asked(prompt=prompt, temperature=temperature)
    with request.app.state.shelf.loaded(model) as loaded:
        segments, info = hearing.translate(loaded, audio, asked)
        return transcripts.written(response_format, "translate", list(segments), info, False)


@router.post("/v1/audio/speech/timestamps")
def timestamps(
    audio: Recording,
    model: Annotated[str, Form()] = VOICE_MODEL,
    threshold: Annotated[float, Form(ge=0, le=1)] = 0.75,
    neg_threshold: Annotated[float | None, Form(ge=0)] = None,
    min_speech_duration_ms: NotNegative = 0,
    max_speech_duration_s: Annotated[float, Form(ge=0)] = float("inf"),
    min_silence_duration_ms: NotNegative = 1000,
    speech_pad_ms: NotNegative = 0,
) -> list[dict[str, int]]:
    """Tell where there is a voice."""
    assert model == VOICE_MODEL, f"Only {VOICE_MODEL} is supported"
    options = VadOptions(
        threshold=threshold,
        neg_threshold=neg_threshold,
        min_speech_duration_ms=min_speech_duration_ms,
        max_speech_duration_s=max_speech_duration_s,
        min_silence_duration_ms=min_silence_duration_ms,
        speech_pad_ms=speech_pad_ms,
    )
    return hearing.stretches(audio, options)


@router.get("/v1/models")
def models() -> dict[str, Any]:
    """List what can be served."""
    return {"data": store.listed(), "object": "list"}


@router.get("/api/ps")
def running(request: Request) -> dict[str, list[str]]:
    """List what is in memory."""
    return {"models": request.app.state.shelf.names()}


@router.get("/health")
def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"message": "OK"}


def _heard(shelf: Shelf, model: str, audio: Samples, asked: Asked) -> Iterator[Any]:
    """Hear while the answer is read: whatever is wrong is found after it has begun."""
    with shelf.loaded(model) as loaded:
        segments, _ = hearing.transcribe(loaded, audio, asked)
        yield from segments
