"""One uploaded recording: in memory while it is small, then on disk, where nobody else finds it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import TypeVar

from synapse_gateway import errors

T = TypeVar("T")

IN_MEMORY_BYTES = 1024**2
_DISK = ThreadPoolExecutor(4, thread_name_prefix="disk")
"""A slow disk holds up nothing but recordings."""


class Recording:
    """A file that is written once, read from its beginning as often as it is sent, and closed."""

    def __init__(self, filename: str = "", content_type: str = "") -> None:
        """Begin with nothing in it."""
        self.filename = filename
        self.content_type = content_type
        self.size = 0
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # until close

    @property
    def is_on_disk(self) -> bool:
        """Say whether it has outgrown the memory it may take."""
        return self.size > IN_MEMORY_BYTES

    async def write(self, data: bytes) -> None:
        """Add to its end; refuse it where the disk has no more room."""
        self.size += len(data)
        await self._stored(lambda: self._file.write(data))

    async def flush(self) -> None:
        """Bring all of it to the disk; refuse it where that has no more room."""
        await self._stored(self._file.flush)

    async def rewind(self) -> None:
        """Go back to its beginning."""
        await self._do(lambda: self._file.seek(0))

    async def read(self, size: int) -> bytes:
        """Return the next bytes, none at its end."""
        return await self._do(lambda: self._file.read(size))

    async def ends(self, size: int) -> tuple[bytes, bytes]:
        """Return its first and its last bytes."""
        return await self._do(lambda: (self._at(0, size), self._at(max(0, self.size - size), size)))

    async def close(self) -> None:
        """Give its room back."""
        # What could not be written cannot be written now.
        with contextlib.suppress(OSError):
            await self._do(self._file.close)

    @property
    def is_closed(self) -> bool:
        """Say whether its room is given back."""
        return self._file.closed

    def _at(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    async def _stored(self, work: Callable[[], object]) -> None:
        try:
            await self._do(work)
        except OSError:
            raise errors.disk_full() from None

    async def _do(self, work: Callable[[], T]) -> T:
        """Do it, in a thread where it may have to wait for the disk."""
        if not self.is_on_disk:
            return work()
        return await asyncio.get_running_loop().run_in_executor(_DISK, work)
