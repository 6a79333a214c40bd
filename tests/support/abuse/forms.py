"""Forms and recordings: what multipart and WAV allow that costs more than it seems."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from abuse import wire
from abuse.catalogue import EARS, HARM

PATH = "/v1/audio/transcriptions"
BOUNDARY = "b" * 16
LYING = 0xFFFFFFFF
"""The length that recordings give which were not finished."""


def wav(
    samples: bytes, *, told: int | None = None, rate: int = 16000, before: bytes = b""
) -> bytes:
    """Return a WAV file that says it is `told` bytes long, with chunks before the sound."""
    length = len(samples) if told is None else told
    sound = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    rest = before + sound + b"data" + struct.pack("<I", length) + samples
    return b"RIFF" + struct.pack("<I", min(LYING, 4 + len(rest))) + b"WAVE" + rest


def part(name: str, value: bytes, *more: str, filename: str | None = None) -> bytes:
    """Return one part of a form, with further header lines."""
    file = "" if filename is None else f'; filename="{filename}"'
    lines = [f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{name}"{file}', *more]
    return "\r\n".join([*lines, "", ""]).encode() + value + b"\r\n"


def form(*parts: bytes, end: bytes = f"--{BOUNDARY}--\r\n".encode()) -> bytes:
    """Return a form of these parts."""
    return b"".join(parts) + end


MODEL = part("model", EARS.encode())
SHORT = wav(bytes(3200))


def _file(content: bytes, *more: str, filename: str = "a.wav") -> bytes:
    return part("file", content, *more, filename=filename)


def _repeated(one: bytes, size: int) -> bytes:
    return one * max(1, size // len(one))


FORMS: dict[str, Callable[[int], bytes]] = {
    "silence": lambda size: form(MODEL, _file(wav(bytes(size)))),
    "lying length": lambda size: form(MODEL, _file(wav(bytes(size), told=LYING))),
    "one sample a second": lambda size: form(MODEL, _file(wav(bytes(size), rate=1))),
    "no samples a second": lambda size: form(MODEL, _file(wav(bytes(size), rate=0))),
    "empty chunks": lambda size: form(
        MODEL, _file(wav(b"", before=_repeated(b"LIST\0\0\0\0", size)))
    ),
    "chunk that lies": lambda size: form(
        MODEL, _file(wav(bytes(size), before=b"LIST" + struct.pack("<I", LYING)))
    ),
    "no sound at all": lambda size: form(MODEL, _file(b"RIFF\0\0\0\0WAVE" + bytes(size))),
    "bare samples": lambda size: form(MODEL, _file(bytes(size), "Content-Type: audio/pcm")),
    "many fields": lambda size: form(MODEL, _repeated(part("a", b""), size), _file(SHORT)),
    "many files": lambda size: form(MODEL, _repeated(_file(b"a"), size)),
    "long field": lambda size: form(MODEL, part("prompt", b"a" * size), _file(SHORT)),
    "long name": lambda size: form(MODEL, part("a" * size, b"a"), _file(SHORT)),
    "long filename": lambda size: form(MODEL, _file(SHORT, filename="a" * size)),
    "many quotes": lambda size: form(MODEL, _file(SHORT, filename='\\"' * (size // 2))),
    "many parameters": lambda size: form(
        MODEL, _file(SHORT, "Content-Type: a/b" + ";a=b" * (size // 4))
    ),
    "long part header": lambda size: form(MODEL, _file(SHORT, "X-Long: " + "a" * size)),
    "many part headers": lambda size: form(MODEL, _file(SHORT, *["X: a"] * (size // 6))),
    "near boundaries": lambda size: form(
        MODEL, _file(SHORT + _repeated(b"\r\n--" + BOUNDARY[:-1].encode() + b"c", size))
    ),
    "line ends": lambda size: form(MODEL, _file(SHORT + b"\r\n" * (size // 2))),
    "beginnings of line ends": lambda size: form(MODEL, _file(SHORT + b"\r" * size)),
    "preamble": lambda size: b"\r\n" * (size // 2) + form(MODEL, _file(SHORT)),
    "no end": lambda size: form(MODEL, _file(wav(bytes(size))), end=b""),
    "after the end": lambda size: form(MODEL, _file(SHORT)) + b"a" * size,
}  # fmt: skip
"""Bodies of about so many bytes."""
CHARSETS = ("raw_unicode_escape", "undefined", "punycode", "idna", "base64", "utf-7", "utf-16", "x")
"""What a client may call its letters; `undefined` fails whatever comes."""


@dataclass(frozen=True)
class FormShape:
    """A form in a few words; `request` writes it out."""

    what: str
    size: int
    piece: int = 0
    """Bytes of each chunk; 0: sent with its length."""
    charset: str = ""

    @property
    def kind(self) -> str:
        """Say what is varied, without sizes."""
        return f"form: {self.what}" + (f" as {self.charset}" if self.charset else "")

    def request(self) -> wire.Sent:
        """Write it out."""
        body = FORMS[self.what](self.size)
        kind = f"content-type: multipart/form-data; boundary={BOUNDARY}"
        kind += f"; charset={self.charset}" if self.charset else ""
        length = None if self.piece else len(body)
        return wire.Sent(wire.head(PATH, HARM, kind, size=length), body, self.piece)


def every_kind(size: int) -> list[FormShape]:
    """Return each form once, so large, and each charset."""
    return [FormShape(what, size) for what in FORMS] + [
        FormShape("long field", 1000, charset=charset) for charset in CHARSETS
    ]
