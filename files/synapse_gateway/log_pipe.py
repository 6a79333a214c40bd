"""Writes log lines to standard output; a slow reader of it never holds the gateway up."""

from __future__ import annotations

import asyncio
import functools
import os
import select
import stat
import sys
import time
from collections import deque
from typing import Any

import orjson

WAITING_BYTES = 4 * 1024**2
"""Of lines that the log's reader has not taken yet; further ones are dropped and counted."""


class LogPipe:
    """A file descriptor for lines; where it is a pipe, lines wait in memory while it is full."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        """Write there from now on, until `close`."""
        self._descriptor = descriptor
        self._loop = loop
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        if self._is_pipe:
            os.set_blocking(descriptor, False)

    def write(self, line: bytes) -> None:
        """Write a line, or keep it until there is room, or count it as lost."""
        if not self._waiting:
            rest = self._written(line)
            if rest:
                self._keep(rest)
                self._loop.add_writer(self._descriptor, self._go_on)
        elif self._waiting_bytes + len(line) > WAITING_BYTES:
            self._lost += 1
        else:
            self._keep(line)

    def close(self, limit_s: float) -> None:
        """Write what still waits, within this time."""
        if self._waiting:
            select.select([], [self._descriptor], [], limit_s)
            self._go_on()
        self._loop.remove_writer(self._descriptor)
        if self._is_pipe:
            os.set_blocking(self._descriptor, True)

    def _keep(self, line: bytes) -> None:
        self._waiting.append(line)
        self._waiting_bytes += len(line)

    def _go_on(self) -> None:
        while self._waiting:
            line = self._waiting.popleft()
            self._waiting_bytes -= len(line)
            rest = self._written(line)
            if rest:
                self._waiting.appendleft(rest)
                self._waiting_bytes += len(rest)
                return
        self._loop.remove_writer(self._descriptor)
        if self._lost:
            lost, self._lost = self._lost, 0
            self.write(orjson.dumps({"event": "lines_lost", "count": lost}) + b"\n")

    def _written(self, line: bytes) -> bytes:
        """Write what there is room for; return the rest."""
        try:
            return line[os.write(self._descriptor, line) :]
        except BlockingIOError:
            return line


_pipes: list[LogPipe] = []
"""Standard output while the gateway serves."""


def to_pipe() -> LogPipe:
    """Have lines written without waiting for whoever reads them, from now on."""
    pipe = LogPipe(sys.stdout.fileno(), asyncio.get_running_loop())
    _pipes[:] = [pipe]
    return pipe


def write_line(line: dict[str, Any]) -> None:
    """Write one JSON line."""
    written = orjson.dumps(line, default=str) + b"\n"
    if _pipes:
        _pipes[0].write(written)
        return
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


def now(at: float | None = None) -> str:
    """Return a time as log lines have it."""
    at = time.time() if at is None else at
    return f"{_second(int(at))}.{int(at * 1000) % 1000:03d}Z"


@functools.lru_cache(maxsize=64)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
