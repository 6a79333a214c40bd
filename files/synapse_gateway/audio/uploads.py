"""Uploaded recordings: read within limits and kept on disk, so that memory stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import Gauge

from synapse_common.line import Claim, Line
from synapse_gateway import errors
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio import bare_samples, form_reader
from synapse_gateway.audio.form import Form
from synapse_gateway.audio.recording import Recording
from synapse_gateway.audio.waiting import claim_of, waited, while_there
from synapse_gateway.body import check_length, chunks
from synapse_gateway.config import MIB
from synapse_gateway.routes import Route
from synapse_gateway.settings import Settings

KIB = 1024
PACE_S = 10.0
"""Over so many seconds an upload must keep up its least pace."""


@dataclass(frozen=True)
class Upload:
    """One form with its recording; the file is gone when the request ends."""

    fields: tuple[tuple[str, str], ...]
    """What the route knows of the form, in the client's order."""
    file: Recording
    size: int
    """Bytes of the recording."""
    head: bytes = b""
    """What goes before it: the head of a WAV file where it is bare samples."""
    ignored: tuple[str, ...] = ()
    """Fields that no engine is told of."""
    named: tuple[tuple[str, str], ...] = ()
    """All fields of the form, those too."""

    def first(self, name: str) -> str | None:
        """Return the first value of a field."""
        return next((value for key, value in self.fields if key == name), None)


class Uploads:
    """The places for recordings: who finds none free waits, and is told if that takes too long."""

    def __init__(self, settings: Settings, waiting: Gauge) -> None:
        """Begin with every place free."""
        self._settings = settings
        self._waiting = waiting
        self._limit = settings.audio_body_mib * MIB
        self._line = Line(settings.uploads_at_once, self._may_enter)
        self._kept = settings.uploads_at_once // 8
        """Places that batch work leaves free."""

    @contextlib.asynccontextmanager
    async def received(
        self, request: web.BaseRequest, route: Route, record: RequestRecord
    ) -> AsyncIterator[Upload]:
        """Hold the request's recording until the block ends."""
        check_length(request.headers, self._limit)
        async with contextlib.AsyncExitStack() as held:
            wait_s = self._settings.transcription_wait_s
            try:
                with waited(record), self._waiting.track_inprogress():
                    async with while_there(request):
                        await held.enter_async_context(self._line.place(claim_of(record), wait_s))
            except TimeoutError:
                limit = self._settings.uploads_at_once
                raise errors.too_many_uploads(limit, wait_s) from None
            read = await self._read(request)
            held.push_async_callback(read.close)
            yield await _checked(read, route)

    def _may_enter(self, claim: Claim, held: int, free: int) -> bool:
        """Let an application hold as many places as it leaves free: there is one for the next.

        A recording that waits to be heard, or comes slowly, holds its place for minutes.
        """
        return held < free - (0 if claim.is_interactive else self._kept)

    async def _read(self, request: web.BaseRequest) -> Form:
        kind = request.headers.get("content-type", "")
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                return await form_reader.read(kind, self._paced(chunks(request, self._limit)))
        except TimeoutError:
            raise errors.slow_body(self._settings.body_timeout_s) from None

    async def _paced(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass on what comes; refuse an upload that trickles."""
        least_kib_s = self._settings.upload_least_kib_s
        clock_s = asyncio.get_running_loop().time
        until_s, missing = clock_s() + PACE_S, least_kib_s * KIB * PACE_S
        while True:
            try:
                async with asyncio.timeout_at(until_s if missing > 0 else None) as pace:
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if pace.expired():
                    raise errors.slow_upload(least_kib_s, PACE_S) from None
                raise
            missing -= len(piece)
            if missing <= 0 and clock_s() >= until_s:
                until_s, missing = clock_s() + PACE_S, least_kib_s * KIB * PACE_S
            yield piece


async def _checked(read: Form, route: Route) -> Upload:
    """Return what the route knows of a form, with its recording."""
    file = read.file
    if file is None:
        raise errors.malformed("The form has no complete 'file'.", "file")
    if not file.size:
        raise errors.malformed("The uploaded file is empty.", "file")
    known = tuple((name, value) for name, value in read.fields if name in route.allowed)
    ignored = tuple(name for name, _ in read.fields if name not in route.allowed)
    head = await bare_samples.head(file)
    return Upload(known, file, file.size, head, ignored, tuple(read.fields))
