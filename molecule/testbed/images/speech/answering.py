"""How the stand-in for Speaches answers whoever wants a recording written down, faults included."""

from collections.abc import Callable, Iterator

import av
from hearing import Stretch, decoded, seconds, stretches
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from transcripts import streamed, written

UPLOAD_MIB = 200
FORMS = ("text", "json", "verbose_json", "srt", "vtt")
GRANULARITIES = ([], ["segment"], ["word"], ["word", "segment"], ["segment", "word"])
SWITCHED = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
# Some of Whisper's hundred.
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")


async def hear(request: Request, installed: Callable[[], list[str]]) -> Response:
    """Write down what was said; as many requests at once as come, each in a thread."""
    async with request.form(max_part_size=UPLOAD_MIB * 1024**2) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise invalid("file", "Field required")
        audio = await upload.read()
        asked = {key: str(value) for key, value in form.items() if key != "file"}
        times = [str(value) for value in form.getlist("timestamp_granularities[]")]
    task = "transcribe" if request.url.path.endswith("transcriptions") else "translate"
    samples = await run_in_threadpool(readable, audio)
    check(asked, times)
    if asked.get("model") not in installed():
        raise HTTPException(404, f"Model '{asked.get('model')}' is not installed locally.")
    return await run_in_threadpool(answer, task, samples, asked, "word" in times)


def check(asked: dict[str, str], times: list[str]) -> None:
    """Refuse what FastAPI refuses, and fail where Speaches asserts."""
    form, stream = asked.get("response_format", "json"), asked.get("stream", "false").lower()
    if form not in FORMS:
        raise invalid("response_format", f"Input should be one of {FORMS}")
    if stream not in SWITCHED:
        raise invalid("stream", "Input should be a valid boolean")
    try:
        float(asked.get("temperature", 0))
    except ValueError:
        raise invalid("temperature", "Input should be a valid number") from None
    assert times in GRANULARITIES, f"{times} is not a valid value"


def answer(task: str, samples: bytes, asked: dict[str, str], words: bool) -> Response:
    """Hear a recording and write it down."""
    heard = spoken(samples, asked.get("language"))
    if task == "transcribe" and SWITCHED[asked.get("stream", "false").lower()]:
        return streamed(heard)
    form = asked.get("response_format", "json")
    return written(form, task, list(heard), seconds(samples), words)


def readable(audio: bytes) -> bytes:
    """Decode a recording; a damaged one is told apart by what FFmpeg says of it."""
    try:
        samples = decoded(audio)
        if not samples:
            raise ZeroDivisionError
    except av.error.InvalidDataError as error:
        detail = "Failed to decode audio. The provided file type is not supported."
        raise HTTPException(415, detail) from error
    except av.error.ArgumentError as error:
        detail = "Failed to decode audio. The provided file is likely empty."
        raise HTTPException(400, detail) from error
    except Exception as error:
        raise HTTPException(500, "Failed to decode audio.") from error
    return samples


def spoken(samples: bytes, language: str | None) -> Iterator[Stretch]:
    """Hear a recording; of a stream, whatever is wrong is found after it has begun."""
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"'{language}' is not a valid language code")
    yield from stretches(samples)


def invalid(name: str, reason: str) -> HTTPException:
    """Refuse a form as FastAPI does."""
    return HTTPException(422, [{"type": "value_error", "loc": ["body", name], "msg": reason}])
