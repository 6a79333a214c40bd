"""A recording travels on inside a form of our own, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from synapse_gateway.audio import multipart
from synapse_gateway.audio.recording import Recording


async def read(form: multipart.Form, file: Recording) -> list[tuple[str, str | bytes]]:
    """Return the fields as an engine reads them."""
    parser = MultiPartParser(Headers({"content-type": form.content_type}), form.pieces(file))
    parts = (await parser.parse()).multi_items()
    return [(key, part if isinstance(part, str) else await part.read()) for key, part in parts]


@given(st.binary(max_size=300))
async def test_a_recording_comes_through_unchanged(content: bytes) -> None:
    file = Recording()
    await file.write(content)
    form = multipart.form([("model", "whisper"), ("prompt", "ä\r\nb"), ("prompt", "")], "a.wav")
    expected = [("model", "whisper"), ("prompt", "ä\r\nb"), ("prompt", ""), ("file", content)]
    assert await read(form, file) == expected
    assert await read(form, file) == expected, "a second engine reads it from the beginning"
    length = len(form.head) + len(content) + len(form.tail)
    assert length == sum([len(piece) async for piece in form.pieces(file)])


def test_nobody_can_know_what_ends_a_part() -> None:
    assert multipart.form([], "a.wav").boundary != multipart.form([], "a.wav").boundary


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a b\r\nX: y.wav", "abXy.wav"), ('".mp3', ".mp3"), ("///", "audio")],
    ids=["line-break", "quote", "nothing-left"],
)
def test_file_names_lose_what_could_write_headers(name: str, expected: str) -> None:
    assert multipart.plain(name) == expected
