"""Recordings are held on disk, a limited number of them at a time."""

from __future__ import annotations

import asyncio
import errno
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, Gauge

from synapse_common.refusals import Refusal
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.audio import recording
from synapse_gateway.audio.uploads import PACE_S, Upload, Uploads
from synapse_gateway.config import MIB, App
from synapse_gateway.response import ClientLeft
from synapse_gateway.routes import ROUTES
from synapse_gateway.settings import Settings

ROUTE = ROUTES["/v1/audio/transcriptions"]
SETTINGS = Settings(audio_body_mib=4, uploads_at_once=1, body_timeout_s=60.0)

SENDING: set[asyncio.Task[None]] = set()
"""A loop forgets tasks that nobody holds."""


def form(content: bytes, **fields: str) -> httpx.Request:
    """Return a client's form."""
    files = {"file": ("a.wav", content, "audio/wav")}
    request = httpx.Request("POST", "http://x", data=fields, files=files)
    request.read()
    return request


def sent(form: httpx.Request, *, leaves: bool = False) -> web.Request:
    """Return a form as a server hands it over, in two pieces; a client may leave after one."""
    stream = StreamReader(Mock(_reading_paused=False), 2**20, loop=asyncio.get_running_loop())
    half = len(form.content) // 2
    stream.feed_data(form.content[:half])
    if leaves:
        stream.set_exception(ConnectionResetError())
    else:
        stream.feed_data(form.content[half:])
        stream.feed_eof()
    return make_mocked_request("POST", "/", headers=dict(form.headers), payload=stream)


def places(settings: Settings) -> Uploads:
    """Return places for uploads, all free."""
    return Uploads(settings, Gauge("waiting", "", registry=CollectorRegistry()))


def of(app: str = "app", priority: str = "interactive") -> RequestRecord:
    """Return the record of a request by an application."""
    return RequestRecord(
        "POST", "/", app=App.model_validate({"name": app, "models": ["*"], "priority": priority})
    )


def trickling(of_form: httpx.Request, bytes_a_second: int) -> web.Request:
    """Return a form that comes a few bytes each second."""
    stream = StreamReader(Mock(_reading_paused=False), 2**20, loop=asyncio.get_running_loop())

    async def send() -> None:
        for at in range(0, len(of_form.content), bytes_a_second):
            stream.feed_data(of_form.content[at : at + bytes_a_second])
            await asyncio.sleep(1)
        stream.feed_eof()

    SENDING.add(asyncio.create_task(send()))
    return make_mocked_request("POST", "/", headers=dict(of_form.headers), payload=stream)


async def taken(
    uploads: Uploads, request: web.Request, record: RequestRecord | None = None
) -> Upload:
    """Take a recording in and let go of it."""
    async with uploads.received(request, ROUTE, record or of()) as upload:
        return upload


class Held:
    """Uploads that keep their places."""

    def __init__(self, uploads: Uploads) -> None:
        self.uploads = uploads
        self.places: list[asyncio.Task[None]] = []

    async def take(self, count: int, **who: str) -> int:
        """Ask for so many places; return how many were had at once."""
        before = self.held
        for _ in range(count):
            self.places.append(asyncio.create_task(self._hold(of(**who))))
        await asyncio.sleep(0.01)
        return self.held - before

    held = 0

    async def _hold(self, record: RequestRecord) -> None:
        async with self.uploads.received(sent(form(b"x")), ROUTE, record):
            self.held += 1
            await asyncio.sleep(3600)

    async def go(self) -> None:
        for place in self.places:
            place.cancel()
        await asyncio.gather(*self.places, return_exceptions=True)


async def test_a_large_recording_is_on_disk_and_gone_afterwards() -> None:
    request = sent(form(b"x" * 3_000_000, model="whisper", api_base="http://x"))
    async with places(SETTINGS).received(request, ROUTE, of()) as upload:
        assert upload.size == 3_000_000
        assert upload.fields == (("model", "whisper"),)
        assert upload.file.is_on_disk
    assert upload.file.is_closed


@pytest.mark.looptime
async def test_who_finds_no_place_waits_and_is_told_in_the_end() -> None:
    uploads = places(SETTINGS)
    first, second = sent(form(b"x")), form(b"y")
    async with uploads.received(first, ROUTE, of()):
        with pytest.raises(Refusal) as refused:
            await taken(uploads, sent(second))
        assert (refused.value.status, refused.value.code) == (503, "too_many_uploads")
        waiting = asyncio.create_task(taken(uploads, sent(second)))
        await asyncio.sleep(30)
        assert not waiting.done()
    assert (await waiting).size == 1


async def test_a_place_is_free_again_whatever_happened() -> None:
    uploads = places(SETTINGS)
    large = form(b"x" * 5 * 1024**2)
    large.headers.pop("content-length")
    broken = [sent(form(b"")), sent(large), sent(form(b"x"), leaves=True)]
    for request in broken:
        with pytest.raises((Refusal, ClientLeft)):
            await taken(uploads, request)
    assert (await taken(uploads, sent(form(b"good")))).size == 4


async def test_what_openai_takes_is_taken_and_a_mebibyte_more_is_not() -> None:
    fits, large = sent(form(bytes(25 * MIB))), sent(form(bytes(26 * MIB)))
    assert (await taken(places(Settings()), fits)).size == 25 * MIB
    with pytest.raises(Refusal) as refused:
        await taken(places(Settings()), large)
    assert refused.value.status == 413


@pytest.mark.looptime
async def test_one_application_leaves_places_for_the_next_and_batch_for_the_interactive() -> None:
    held = Held(places(Settings(uploads_at_once=16)))
    assert await held.take(20, app="a", priority="batch") == 7
    assert await held.take(20, app="b", priority="batch") == 4
    assert await held.take(20, app="c", priority="batch") == 2
    assert await held.take(20, app="d", priority="batch") == 1
    assert await held.take(20, app="e", priority="batch") == 0
    assert await held.take(20, app="tablet") == 1
    assert await held.take(20, app="voice") == 1
    await held.go()
    assert await held.take(20, app="tablet") == 8, "every place was given back"
    await held.go()


@pytest.mark.looptime
async def test_an_interactive_upload_goes_before_those_of_batch_that_came_first() -> None:
    uploads = places(Settings(uploads_at_once=1))
    order: list[str] = []

    async def upload(name: str, priority: str) -> None:
        await taken(uploads, sent(form(b"x")), of(name, priority))
        order.append(name)

    async with uploads.received(sent(form(b"x")), ROUTE, of("first", "batch")):
        asked = [("a", "batch"), ("a", "batch"), ("b", "batch"), ("voice", "interactive")]
        waiting = [asyncio.create_task(upload(*each)) for each in asked]
        await asyncio.sleep(5)
    await asyncio.gather(*waiting)
    assert order == ["voice", "a", "b", "a"]


@pytest.mark.looptime
async def test_who_waits_for_a_place_is_timed_and_who_leaves_takes_none() -> None:
    uploads = places(SETTINGS)
    record = of()
    async with uploads.received(sent(form(b"x")), ROUTE, of()):
        leaving = asyncio.create_task(taken(uploads, sent(form(b"x"))))
        waiting = asyncio.create_task(taken(uploads, sent(form(b"x")), record))
        await asyncio.sleep(7)
        leaving.cancel()
        await asyncio.sleep(1)
    await waiting
    assert record.waited_s == 8
    await taken(uploads, sent(form(b"x")))


@pytest.mark.looptime
async def test_an_upload_that_trickles_is_refused_and_gives_its_place_back() -> None:
    uploads = places(SETTINGS)
    with pytest.raises(Refusal, match="less than 1 KiB a second for 10 s") as refused:
        await taken(uploads, trickling(form(bytes(300_000)), 1))
    assert (refused.value.status, refused.value.code) == (408, "upload_too_slow")
    assert asyncio.get_running_loop().time() == pytest.approx(PACE_S)
    await taken(uploads, sent(form(b"x")))


@pytest.mark.looptime
@pytest.mark.parametrize(("pace", "fits"), [(2000, True), (1300, False)])
async def test_a_steady_upload_is_taken_within_the_time_for_a_whole_one(
    pace: int, fits: bool
) -> None:
    request = trickling(form(bytes(100_000)), pace)
    if fits:
        assert (await taken(places(SETTINGS), request)).size == 100_000
        return
    with pytest.raises(Refusal) as refused:
        await taken(places(SETTINGS), request)
    assert (refused.value.code, asyncio.get_running_loop().time()) == ("request_timeout", 60)


class FullDisk:
    """A file on a disk that takes so many bytes."""

    closed = False

    def __init__(self, room: int, error: int) -> None:
        self._room, self._error = room, error

    def write(self, data: bytes) -> None:
        self._room -= len(data)
        self.flush()

    def flush(self) -> None:
        if self._room < 0:
            raise OSError(self._error, "what the system says")

    def seek(self, _place: int) -> None:
        self.flush()

    def close(self) -> None:
        self.closed = True
        self.flush()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
async def test_a_full_disk_is_said_and_nothing_is_kept(
    error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[FullDisk] = []

    def opened(**_: Any) -> FullDisk:
        files.append(FullDisk(2 * MIB, error))
        return files[-1]

    uploads = places(SETTINGS)
    with monkeypatch.context() as patched:
        patched.setattr(recording, "SpooledTemporaryFile", opened)
        with pytest.raises(Refusal, match="no room for this upload") as refused:
            await taken(uploads, sent(form(bytes(3 * MIB))))
    assert (refused.value.status, refused.value.code) == (503, "disk_full")
    assert refused.value.headers["retry-after"] == "30"
    assert files[0].closed
    assert (await taken(uploads, sent(form(b"good")))).size == 4
