"""Uploaded recordings: read within limits and kept on disk, so that memory stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
import io
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from synapse_gateway import errors
from synapse_gateway.audio import bare_samples
from synapse_gateway.body import check_length, chunks
from synapse_gateway.config import MIB
from synapse_gateway.routes import Route
from synapse_gateway.settings import Settings

FIELDS_AT_MOST = 32
FIELD_BYTES_AT_MOST = 64 * 1024
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Upload:
    """One form with its recording; the file is gone when the request ends."""

    fields: tuple[tuple[str, str], ...]
    """What the route knows of the form, in the client's order."""
    file: UploadFile
    size: int
    """Bytes of the recording."""
    head: bytes = b""
    """What goes before it: the head of a WAV file where it is bare samples."""

    def first(self, name: str) -> str | None:
        """Return the first value of a field."""
        return next((value for key, value in self.fields if key == name), None)


class Uploads:
    """The places for recordings: who finds none free waits, and is told if that takes too long."""

    def __init__(self, settings: Settings) -> None:
        """Begin with every place free."""
        self._settings = settings
        self._limit = settings.audio_body_mib * MIB
        self._places = asyncio.Semaphore(settings.uploads_at_once)

    @contextlib.asynccontextmanager
    async def received(self, request: web.BaseRequest, route: Route) -> AsyncIterator[Upload]:
        """Hold the request's recording until the block ends."""
        check_length(request.headers, self._limit)
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                await self._places.acquire()
        except TimeoutError:
            raise errors.too_many_uploads(self._settings.uploads_at_once) from None
        try:
            upload = await self._read(request, route)
            try:
                yield upload
            finally:
                await upload.file.close()
        finally:
            self._places.release()

    async def _read(self, request: web.BaseRequest, route: Route) -> Upload:
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != FORM:
            raise errors.malformed(f"The body must be {FORM}.")
        parser = MultiPartParser(
            Headers({"content-type": kind}),
            chunks(request, self._limit),
            max_files=1,
            max_fields=FIELDS_AT_MOST,
            max_part_size=FIELD_BYTES_AT_MOST,
        )
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                form = await parser.parse()
        except TimeoutError:
            raise errors.slow_body(self._settings.body_timeout_s) from None
        except MultiPartException as error:
            raise errors.malformed(f"The form cannot be read: {error.message}") from None
        file = form.get("file")
        if not isinstance(file, UploadFile):
            await form.close()
            raise errors.malformed("The form has no complete 'file'.", "file")
        if not file.size:
            await form.close()
            raise errors.malformed("The uploaded file is empty.", "file")
        fields = [(name, value) for name, value in form.multi_items() if name in route.allowed]
        texts = tuple((name, value) for name, value in fields if isinstance(value, str))
        return Upload(texts, file, file.size, await bare_samples.head(file))


def wav_seconds(upload: Upload) -> float | None:
    """Return how long the recording is if it is a WAV file, which says so at its beginning."""
    beginning = io.BytesIO(upload.head) if upload.head else upload.file.file
    try:
        with wave.open(beginning, "rb") as wav:
            whole_s = wav.getnframes() / wav.getframerate()
            bytes_a_second = wav.getframerate() * wav.getsampwidth() * wav.getnchannels()
    except (wave.Error, EOFError, ZeroDivisionError):
        return None
    finally:
        upload.file.file.seek(0)
    return min(whole_s, upload.size / bytes_a_second)  # a truncated file is shorter than it says
