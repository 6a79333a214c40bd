"""Recordings are held on disk, a limited number of them at a time."""

from __future__ import annotations

import asyncio
import io
import wave
from unittest.mock import Mock

import httpx
import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request

from synapse_common.refusals import Refusal
from synapse_gateway.audio.uploads import Upload, Uploads, wav_seconds
from synapse_gateway.config import MIB
from synapse_gateway.response import ClientLeft
from synapse_gateway.routes import ROUTES
from synapse_gateway.settings import Settings

ROUTE = ROUTES["/v1/audio/transcriptions"]
SETTINGS = Settings(audio_body_mib=4, uploads_at_once=1, body_timeout_s=60.0)


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


def wav(seconds: float) -> bytes:
    """Return a WAV file of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 32000)))
    return out.getvalue()


async def taken(uploads: Uploads, request: web.Request) -> Upload:
    """Take a recording in and let go of it."""
    async with uploads.received(request, ROUTE) as upload:
        return upload


async def test_a_large_recording_is_on_disk_and_gone_afterwards() -> None:
    request = sent(form(b"x" * 3_000_000, model="whisper", api_base="http://x"))
    async with Uploads(SETTINGS).received(request, ROUTE) as upload:
        assert upload.size == 3_000_000
        assert upload.fields == (("model", "whisper"),)
        assert upload.file._in_memory is False
    assert upload.file.file.closed


@pytest.mark.looptime
async def test_who_finds_no_place_waits_and_is_told_in_the_end() -> None:
    uploads = Uploads(SETTINGS)
    first, second = sent(form(b"x")), form(b"y")
    async with uploads.received(first, ROUTE):
        with pytest.raises(Refusal) as refused:
            await taken(uploads, sent(second))
        assert (refused.value.status, refused.value.code) == (503, "too_many_uploads")
        waiting = asyncio.create_task(taken(uploads, sent(second)))
        await asyncio.sleep(30)
        assert not waiting.done()
    assert (await waiting).size == 1


async def test_a_place_is_free_again_whatever_happened() -> None:
    uploads = Uploads(SETTINGS)
    large = form(b"x" * 5 * 1024**2)
    large.headers.pop("content-length")
    broken = [sent(form(b"")), sent(large), sent(form(b"x"), leaves=True)]
    for request in broken:
        with pytest.raises((Refusal, ClientLeft)):
            await taken(uploads, request)
    assert (await taken(uploads, sent(form(b"good")))).size == 4


async def test_what_openai_takes_is_taken_and_a_mebibyte_more_is_not() -> None:
    fits, large = sent(form(bytes(25 * MIB))), sent(form(bytes(26 * MIB)))
    assert (await taken(Uploads(Settings()), fits)).size == 25 * MIB
    with pytest.raises(Refusal) as refused:
        await taken(Uploads(Settings()), large)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("content", "expected"),
    [(wav(1.5), 1.5), (wav(1.5)[:16044], 0.5), (b"RIFF-nonsense", None), (b"ID3", None)],
    ids=["whole", "truncated", "text", "mp3"],
)
async def test_a_wav_file_tells_its_length(content: bytes, expected: float | None) -> None:
    request = sent(form(content))
    async with Uploads(SETTINGS).received(request, ROUTE) as upload:
        told = wav_seconds(upload)
        assert (None if told is None else round(told, 2)) == expected
        assert await upload.file.read() == content
