"""Forms are read and written anew; binary content comes through untouched."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_gateway import forms
from synapse_gateway.errors import Refusal


def form(content: bytes, name: str = "a.wav") -> tuple[bytes, str]:
    """Return a form as httpx writes it, and its content type."""
    files = {"file": (name, content, "audio/wav")}
    request = httpx.Request("POST", "http://x", data={"model": "whisper"}, files=files)
    return request.read(), request.headers["content-type"]


@given(st.binary(max_size=300))
def test_content_comes_through_unchanged(content: bytes) -> None:
    parts = forms.parse(*form(content))
    assert [part.name for part in parts] == ["model", "file"]
    again = forms.parse(*forms.write(parts))
    assert again == parts
    assert again[1].content == content


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a b\r\nX: y.wav", "abXy.wav"), ('".mp3', ".mp3"), ("///", "audio")],
    ids=["line-break", "quote", "nothing-left"],
)
def test_file_names_lose_what_could_write_headers(name: str, expected: str) -> None:
    assert forms.plain(name) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"--b\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\n--b--", "multipart/form-data"),
        (b"--b\r\nno header end\r\n--b--", "multipart/form-data; boundary=b"),
        (b"--b\r\nX: y\r\n\r\nz\r\n--b--", "multipart/form-data; boundary=b"),
    ],
    ids=["json", "cut", "no-boundary", "no-content", "no-name"],
)
def test_broken_forms_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Refusal) as refused:
        forms.parse(body, content_type)
    assert refused.value.status == 400
