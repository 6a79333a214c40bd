"""What is read of a multipart form: a few fields in UTF-8 and one file, each within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header

from synapse_gateway import errors
from synapse_gateway.audio import charsets
from synapse_gateway.audio.recording import Recording

FIELDS_AT_MOST = 32
FIELD_BYTES_AT_MOST = 64 * 1024
HEADER_BYTES_AT_MOST = 4096
"""Of one part, all its headers together."""

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


class Form:
    """What has been read of one form."""

    def __init__(self) -> None:
        """Begin before the first part."""
        self.fields: list[tuple[str, str]] = []
        """In the client's order."""
        self.file: Recording | None = None
        self.is_whole = False
        self.told = 0
        """How often the parser told of something."""
        self._headers: dict[bytes, bytes] = {}
        self._header = b"", b""
        self._room = 0
        self._name = ""
        self._value: bytearray | None = None
        """None: the part is the file."""
        self._arrived: list[bytes] = []
        """Of the file, and not written yet."""

    def callbacks(self) -> MultipartCallbacks:
        """Return what a parser tells of."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    async def store(self) -> None:
        """Write what has arrived of the file."""
        arrived, self._arrived = self._arrived, []
        for data in arrived:
            if self.file is not None:
                await self.file.write(data)

    async def stored(self) -> None:
        """Make sure that all of the file is written."""
        if self.file is not None:
            await self.file.flush()
            await self.file.rewind()

    async def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            await self.file.close()

    def _begin(self) -> None:
        self._headers, self._header, self._room = {}, (b"", b""), HEADER_BYTES_AT_MOST

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._take_room(end - start)
        self._header = self._header[0] + data[start:end], self._header[1]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._take_room(end - start)
        self._header = self._header[0], self._header[1] + data[start:end]

    def _take_room(self, size: int) -> None:
        self.told += 1
        self._room -= size
        if self._room < 0:
            raise errors.broken_form(
                f"the headers of a part take more than {HEADER_BYTES_AT_MOST} bytes"
            )

    def _end_header(self) -> None:
        name, value = self._header
        self._headers.setdefault(name.lower(), value)
        self._header = b"", b""

    def _end_headers(self) -> None:
        _, told = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in told:
            raise errors.broken_form("a part has no name")
        self._name = charsets.text(told[b"name"], "name of a part")
        kind = self._headers.get(b"content-type", b"").decode("latin-1")
        if b"filename" in told:
            if self._name != "file" or self.file is not None:
                raise errors.broken_form("it may hold one file, named 'file'")
            self.file = Recording(told[b"filename"].decode(errors="replace"), kind)
            self._value = None
            return
        charsets.check(kind)
        if len(self.fields) >= FIELDS_AT_MOST:
            raise errors.broken_form(f"it has more than {FIELDS_AT_MOST} fields")
        self._value = bytearray()

    def _add(self, data: bytes, start: int, end: int) -> None:
        self.told += 1
        if self._value is None:
            self._arrived.append(data[start:end])
            return
        if len(self._value) + end - start > FIELD_BYTES_AT_MOST:
            raise errors.broken_form(f"a field is larger than {FIELD_BYTES_AT_MOST // 1024} KiB")
        self._value += data[start:end]

    def _end(self) -> None:
        if self._value is None:
            return
        value = charsets.text(bytes(self._value), f"field '{self._name[:100]}'")
        if self._name == charsets.FIELD:
            charsets.demand_utf_8(value)
        self.fields.append((self._name, value))

    def _finish(self) -> None:
        self.is_whole = True
