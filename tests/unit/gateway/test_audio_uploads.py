"""Recordings are held on disk, a limited number of them at a time."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

import httpx
import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.audio.uploads import Upload, Uploads, wav_seconds
from synapse_gateway.config import MIB
from synapse_gateway.request import ClientLeft
from synapse_gateway.routes import ROUTES
from synapse_gateway.settings import Settings

ROUTE = ROUTES["/v1/audio/transcriptions"]
SETTINGS = Settings(audio_body_mib=4, uploads_at_once=1, body_timeout_s=60.0)


class Client:
    """A client's form as a server hands it over, in two pieces."""

    def __init__(self, content: bytes, **fields: str) -> None:
        files = {"file": ("a.wav", content, "audio/wav")}
        request = httpx.Request("POST", "http://x", data=fields, files=files)
        body = request.read()
        self.headers = dict(request.headers)
        self.pieces = [body[: len(body) // 2], body[len(body) // 2 :]]
        self.last = self.pieces[-1]

    async def __call__(self) -> dict[str, Any]:
        if not self.pieces:
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": piece is not self.last}


def wav(seconds: float) -> bytes:
    """Return a WAV file of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 32000)))
    return out.getvalue()


async def taken(uploads: Uploads, client: Client) -> Upload:
    """Take a recording in and let go of it."""
    async with uploads.received(client.headers, client, ROUTE) as upload:
        return upload


async def test_a_large_recording_is_on_disk_and_gone_afterwards() -> None:
    client = Client(b"x" * 3_000_000, model="whisper", api_base="http://x")
    async with Uploads(SETTINGS).received(client.headers, client, ROUTE) as upload:
        assert upload.size == 3_000_000
        assert upload.fields == (("model", "whisper"),)
        assert upload.file._in_memory is False
    assert upload.file.file.closed


@pytest.mark.looptime
async def test_who_finds_no_place_waits_and_is_told_in_the_end() -> None:
    uploads = Uploads(SETTINGS)
    first, second = Client(b"x"), Client(b"y")
    async with uploads.received(first.headers, first, ROUTE):
        with pytest.raises(Refusal) as refused:
            await taken(uploads, second)
        assert (refused.value.status, refused.value.code) == (503, "too_many_uploads")
        waiting = asyncio.create_task(taken(uploads, second))
        await asyncio.sleep(30)
        assert not waiting.done()
    assert (await waiting).size == 1


async def test_a_place_is_free_again_whatever_happened() -> None:
    uploads = Uploads(SETTINGS)
    empty, large, leaving = Client(b""), Client(b"x" * 5 * 1024**2), Client(b"x")
    large.headers.pop("content-length")
    leaving.pieces[1:] = []
    for broken in (empty, large, leaving):
        with pytest.raises((Refusal, ClientLeft)):
            await taken(uploads, broken)
    assert (await taken(uploads, Client(b"good"))).size == 4


async def test_what_openai_takes_is_taken_and_a_mebibyte_more_is_not() -> None:
    fits, large = Client(bytes(25 * MIB)), Client(bytes(26 * MIB))
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
    client = Client(content)
    async with Uploads(SETTINGS).received(client.headers, client, ROUTE) as upload:
        told = wav_seconds(upload)
        assert (None if told is None else round(told, 2)) == expected
        assert await upload.file.read() == content
