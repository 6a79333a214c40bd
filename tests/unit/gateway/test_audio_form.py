"""Forms of every shape: whole and in UTF-8, or a 400 in a sentence that costs little."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.audio import form_reader
from synapse_gateway.audio.form import Form

KIND = "multipart/form-data; boundary=b"
DISPOSITION = b"Content-Disposition: form-data; "
FILE = DISPOSITION + b'name="file"; filename="a.wav"\r\n\r\n'
END = b"\r\n--b--\r\n"
MIB = 1024**2
STALL_S = 0.05
"""Processor time that nothing may take at once; a piece takes a tenth of it."""


def part(head: bytes, content: bytes = b"x") -> bytes:
    """Return one part."""
    return b"--b\r\n" + head + content


def fields(*heads: bytes) -> bytes:
    """Return a form of such parts, and a file."""
    return b"\r\n".join([*(part(head) for head in heads), part(FILE)]) + END


async def read(body: bytes, kind: str = KIND, piece: int = 256 * 1024) -> Form:
    """Read a form that arrives in such pieces."""

    async def arriving() -> AsyncIterator[bytes]:
        for at in range(0, len(body), piece):
            yield body[at : at + piece]

    return await form_reader.read(kind, arriving())


async def refused(body: bytes, kind: str = KIND) -> str:
    """Return the sentence with which a form is refused."""
    with pytest.raises(Refusal) as found:
        await read(body, kind)
    assert found.value.status == 400
    assert found.value.__cause__ is None
    return found.value.message


@pytest.mark.parametrize("piece", [1, 3, 1000])
async def test_a_form_is_read_however_it_arrives(piece: int) -> None:
    body = fields(
        DISPOSITION + b'name="model"\r\n\r\n', DISPOSITION + b'name="prompt"\r\n\r\n\xc3\xa4'
    )
    form = await read(body, piece=piece)
    assert form.fields == [("model", "x"), ("prompt", "\u00e4x")]
    assert form.file is not None
    assert (form.file.filename, await form.file.read(10)) == ("a.wav", b"x")
    await form.close()


CHARSETS = (
    *("raw_unicode_escape", "undefined", "punycode", "idna", "utf-16", "utf-7", "latin-1"),
    *("rot13", "zip", "cp1252", "unicode_escape", "hex", "nobody-knows"),
)


@pytest.mark.parametrize("charset", CHARSETS)
async def test_another_charset_than_utf_8_is_refused_by_name(charset: str) -> None:
    sentence = f"Forms are read as UTF-8, not as '{charset}'."
    named = f"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert await refused(fields(), f"{KIND}; charset={charset}") == sentence
    assert await refused(fields(DISPOSITION + b'name="prompt"' + named)) == sentence
    field = DISPOSITION + b'name="_charset_"\r\n\r\n' + charset.encode() + b"\r\n--b\r\n"
    body = fields(field + DISPOSITION + b'name="p"\r\n\r\n')
    assert await refused(body) == sentence


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", '"utf-8"'])
async def test_utf_8_may_be_named(charset: str) -> None:
    named = f"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    form = await read(fields(DISPOSITION + b'name="prompt"' + named), f"{KIND}; charset={charset}")
    assert form.fields == [("prompt", "x")]
    await form.close()


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (DISPOSITION + b'name="prompt"\r\n\r\n\xff secret', "The field 'prompt' is not in UTF-8."),
        (DISPOSITION + b'name="\xff"\r\n\r\n', "The name of a part is not in UTF-8."),
    ],
)
async def test_what_is_not_in_utf_8_is_refused_without_its_contents(
    head: bytes, sentence: str
) -> None:
    assert await refused(fields(head)) == sentence


@pytest.mark.parametrize(
    "name",
    [
        b'filename="\xff\xfe.wav"',
        b'filename="a\0b.wav"',
        b'filename="' + b"x" * 3000 + b'.wav"',
        b"filename=\"a.wav\"; filename*=UTF-16''a%00",
        b"filename=\"a.wav\"; filename*0=x; filename*1*=punycode'en'%FF",
    ],
    ids=["odd-bytes", "nul", "long", "rfc-5987", "rfc-2231"],
)
async def test_a_file_may_have_any_name(name: bytes) -> None:
    form = await read(part(DISPOSITION + b'name="file"; ' + name + b"\r\n\r\n") + END)
    assert form.file is not None
    assert form.file.filename.endswith((".wav",))
    await form.close()


LARGE = 2 * MIB
NO_END = "it has no end"
OFTEN = "its boundary stands in it too often"
BETWEEN = "there is too much between its parts"
NO_BOUNDARY = "its parts do not begin and end as its boundary says"
HEADERS = "the headers of a part take more than 4096 bytes"
NESTED = (
    DISPOSITION
    + b'name="file"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--'
)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (part(FILE, b"\r\n--b" * (LARGE // 5)), OFTEN),
        (part(FILE, b"\r\n--b-" * (LARGE // 6)), OFTEN),
        (part(FILE, b"\r\n--b\r" * (LARGE // 6)), OFTEN),
        (part(DISPOSITION + b'name="x"\r\n\r\n', b"\r\n") * 10_000, OFTEN),
        (b"--b\r\n" * 10_000, OFTEN),
        (part(FILE, b"\r\n--b" + b" " * LARGE), BETWEEN),
        (b"\r\n" * LARGE + fields(), BETWEEN),
        (b"x" * LARGE + fields(), NO_BOUNDARY),
        (part(b"a" * LARGE), NO_BOUNDARY),
        (part(b"a: " + b"b" * LARGE), NO_BOUNDARY),
        (part(b"a: b\r\n" * 10_000), NO_BOUNDARY),
        (part((b"a: " + b"b" * 2000 + b"\r\n") * 3), HEADERS),
        (part(FILE, b"x" * LARGE), NO_END),
        (fields(*[DISPOSITION + b'name="x"\r\n\r\n'] * 33), "it has more than 32 fields"),
        (fields(FILE), "it may hold one file, named 'file'"),
        (
            fields(DISPOSITION + b'name="x"; filename="y"\r\n\r\n'),
            "it may hold one file, named 'file'",
        ),
        (fields(DISPOSITION + b"\r\n\r\n"), "a part has no name"),
        (
            fields(DISPOSITION + b'name="x"\r\n\r\n' + bytes(70_000)),
            "a field is larger than 64 KiB",
        ),
    ],
)
async def test_a_broken_form_is_refused_in_a_sentence(body: bytes, why: str) -> None:
    assert await refused(body) == f"The form cannot be read: {why}."


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("multipart/form-data", "its boundary must have 1 to 70 characters"),
        ("multipart/form-data; boundary=", "its boundary must have 1 to 70 characters"),
        ('multipart/form-data; boundary=""', "its boundary must have 1 to 70 characters"),
        ("multipart/form-data; boundary=" + "x" * 71, "its boundary must have 1 to 70 characters"),
        (
            "multipart/form-data; boundary=" + "x" * 7000,
            "its boundary must have 1 to 70 characters",
        ),
    ],
)
async def test_a_boundary_is_as_mail_has_it(kind: str, sentence: str) -> None:
    assert await refused(fields(), kind) == f"The form cannot be read: {sentence}."


@pytest.mark.parametrize("kind", ["", "multipart/mixed; boundary=b", "application/json"])
async def test_what_is_no_form_is_told_so(kind: str) -> None:
    assert await refused(fields(), kind) == "The body must be multipart/form-data."


async def test_quotes_around_a_boundary_an_epilogue_and_a_nested_form_are_no_trouble() -> None:
    form = await read(fields(NESTED) + b"y" * LARGE, 'Multipart/Form-Data; boundary="b"')
    assert form.fields[0][0] == "file"
    await form.close()


class Stalls:
    """The longest that one step of the loop computed, in processor time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worst_s = 0.0
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            began_s = time.thread_time()
            run(handle)
            self.worst_s = max(self.worst_s, time.thread_time() - began_s)

        monkeypatch.setattr(asyncio.Handle, "_run", timed)


@pytest.mark.parametrize(
    "content",
    [
        b"\r" * LARGE,
        b"\r\n--" * (LARGE // 4),
        b"\r\n--x" * (LARGE // 5),
        b"-" * LARGE,
        b"\r\n--b\t" + b"\t" * LARGE,
        b"\r\n--b" * 36,
        b"\r\n--b\r\nContent-Disposition: form-data" + b";" * 4000,
        b"\r\n--b\r\nContent-Disposition: form-data;" + b'"' * 4000,
        b"\r\n--b\r\nContent-Type: text/plain" + b";a=b" * 1000,
    ],
)
async def test_no_shape_holds_the_others_up(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalls = Stalls(monkeypatch)
    try:
        form = await read(part(FILE, content) + END)
        await form.close()
    except Refusal:
        pass
    await asyncio.sleep(0)
    assert 0 < stalls.worst_s < STALL_S


async def test_long_headers_of_the_request_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    stalls = Stalls(monkeypatch)
    for more in (";" * 8000, '"' * 8000, ";a=b" * 2000, "; charset*0=u" * 600, "=?" * 4000):
        with pytest.raises(Refusal):
            await read(b"", KIND + more)
        await asyncio.sleep(0)
    assert 0 < stalls.worst_s < STALL_S
