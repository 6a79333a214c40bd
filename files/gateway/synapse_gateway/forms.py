"""Multipart forms, taken apart and written anew so that nothing unread travels on."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from synapse_gateway import errors

BOUNDARY = b"synapse-form-boundary-5f1c2a9e7d"


@dataclass(frozen=True)
class Part:
    """One field of a form."""

    name: str
    content: bytes
    filename: str | None = None


def parse(body: bytes, content_type: str) -> list[Part]:
    """Return the form's fields; a body that is no form is refused."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise errors.malformed("The body must be multipart/form-data.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise errors.malformed("The form is incomplete.")
    return [_part(piece) for piece in pieces[1:-1]]


def write(parts: list[Part]) -> tuple[bytes, str]:
    """Return the body of a form with these fields, and its content type."""
    lines: list[bytes] = []
    for part in parts:
        disposition = f'form-data; name="{part.name}"'
        if part.filename is not None:
            disposition += f'; filename="{part.filename}"'
        lines += [b"--" + BOUNDARY, f"Content-Disposition: {disposition}".encode()]
        if part.filename is not None:
            lines.append(b"Content-Type: application/octet-stream")
        lines += [b"", part.content]
    lines += [b"--" + BOUNDARY + b"--", b""]
    return b"\r\n".join(lines), f"multipart/form-data; boundary={BOUNDARY.decode()}"


def _part(piece: bytes) -> Part:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise errors.malformed("A field of the form has no content.")
    header = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            header["content-disposition"] = value.strip()
    field = header.get_param("name", header="content-disposition")
    filename = header.get_param("filename", header="content-disposition")
    if not isinstance(field, str):
        raise errors.malformed("A field of the form has no name.")
    return Part(field, content, plain(filename) if isinstance(filename, str) else None)


def plain(filename: str) -> str:
    """Return the file name without anything that could end or extend a header."""
    # Backends read the audio format from the extension; nothing else of the name matters.
    return "".join(char for char in filename if char.isalnum() or char in "._-")[-80:] or "audio"
