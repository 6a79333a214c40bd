"""Python loads this by itself where its folder is on the path: a disk on which little has room.

No test may fill a real one; this is where a program meets the end of it.
"""

import errno
import io
import os
import tempfile
from typing import Any

ROOM_BYTES = 2 * 1024**2
_file = tempfile.TemporaryFile


class _Raw(io.FileIO):
    def write(self, data: Any) -> int:
        if self.tell() + len(data) > ROOM_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def temporary_file(*arguments: Any, **named: Any) -> Any:
    """Return a file without a name that cannot become large."""
    made = _file("w+b", buffering=0)
    return io.BufferedRandom(_Raw(os.dup(made.fileno()), "r+b"))


tempfile.TemporaryFile = temporary_file
