"""A multipart form for an engine, written anew around a recording that stays on disk."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from synapse_gateway.audio.recording import Recording
from synapse_gateway.audio.uploads import Upload

PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Form:
    """What is sent: its head, the recording and its tail."""

    head: bytes
    tail: bytes
    boundary: str

    @property
    def content_type(self) -> str:
        """Return the body's content type."""
        return f"multipart/form-data; boundary={self.boundary}"

    async def pieces(self, file: Recording) -> AsyncGenerator[bytes, None]:
        """Yield the body piece by piece, from the file's beginning."""
        await file.rewind()
        yield self.head
        while piece := await file.read(PIECE_BYTES):
            yield piece
        yield self.tail


def written(
    fields: Iterable[tuple[str, str]], upload: Upload
) -> tuple[dict[str, str], AsyncGenerator[bytes, None]]:
    """Return headers and body of a request with these fields and the recording."""
    made = form(fields, upload.file.filename, upload.head)
    length = len(made.head) + upload.size + len(made.tail)
    headers = {"content-type": made.content_type, "content-length": str(length)}
    return headers, made.pieces(upload.file)


def form(fields: Iterable[tuple[str, str]], filename: str, before: bytes = b"") -> Form:
    """Return the form with these fields, then `file`, whose first bytes are `before`."""
    # Nobody can know the boundary beforehand, so no recording can hold it and end its part early.
    boundary = f"synapse-{secrets.token_hex(16)}"
    lines: list[str] = []
    for name, value in fields:
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += [
        f"--{boundary}",
        f'Content-Disposition: form-data; name="file"; filename="{plain(filename)}"',
        "Content-Type: application/octet-stream",
        "",
        "",
    ]
    return Form("\r\n".join(lines).encode() + before, f"\r\n--{boundary}--\r\n".encode(), boundary)


def plain(filename: str) -> str:
    """Return the file name without anything that could end or extend a header."""
    # Engines read the audio format from the extension; nothing else of the name matters.
    return "".join(char for char in filename if char.isalnum() or char in "._-")[-80:] or "audio"
