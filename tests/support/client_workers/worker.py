"""A process that makes calls for tests: one line of JSON asks, one line of JSON tells."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from typing import Any

CALL_LIMIT_S = 60
STOP_LIMIT_S = 10


class FailedError(AssertionError):
    """A call raised what its program did not expect; the text is its traceback."""


class Worker:
    """A running process; packages are loaded with the first call that needs them."""

    def __init__(self, command: list[str], told: dict[str, str]) -> None:
        """Start it with these variables."""
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **told},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Call `module.function` in the process and return what it returned, as plain data."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        try:
            told = json.loads(self._lines.get(timeout=CALL_LIMIT_S))
        except queue.Empty:
            self.stop()  # a late answer would be taken for that of the next call
            raise FailedError(f"{name} took longer than {CALL_LIMIT_S} s") from None
        if "failed" in told:
            raise FailedError(told["failed"])
        return told["returned"]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(STOP_LIMIT_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put('{"failed": "the process has ended"}')
