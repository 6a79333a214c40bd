"""What an engine says: passed on at once, its last words kept."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections import deque
from contextlib import suppress

LINES = 300  # one failure makes a traceback in each of vLLM's processes
LONGEST_LINE = 2000
CHUNK = 65536
LAST_S = 2.0  # for what is still in the pipes
LINE_END = re.compile(rb"[\r\n]+")


class Output:
    """Copies both of an engine's streams to our own and remembers the last lines."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.lines: deque[str] = deque(maxlen=LINES)
        self._readers: list[threading.Thread] = []

    def follow(self, process: subprocess.Popen[bytes]) -> None:
        """Copy until its end what a process says."""
        for number, stream in ((1, process.stdout), (2, process.stderr)):
            if stream is not None:
                about = stream.fileno(), number
                self._readers.append(threading.Thread(target=self._copy, args=about, daemon=True))
                self._readers[-1].start()

    def finish(self) -> None:
        """Wait until all of it was copied; who still holds a pipe is not waited for long."""
        for reader in self._readers:
            reader.join(LAST_S)

    def _copy(self, source: int, target: int) -> None:
        rest = b""
        while chunk := os.read(source, CHUNK):
            with suppress(OSError):  # nobody reads us; the engine must not hang for that
                _write(target, chunk)
            *whole, rest = LINE_END.split(rest + chunk)
            self._keep(whole)
            rest = rest[-LONGEST_LINE:]
        self._keep([rest])

    def _keep(self, lines: list[bytes]) -> None:
        for line in lines:
            if text := line[-LONGEST_LINE:].decode(errors="replace").strip():
                self.lines.append(text)


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
