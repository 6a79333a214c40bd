"""A server as a process of its own, until its context is left."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from gateway_process import until

STOP_TIMEOUT_S = 30


@contextlib.contextmanager
def serving(
    command: list[str],
    url: str,
    log: Path,
    *,
    start_s: float,
    environment: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
    health: str = "/health",
) -> Iterator[subprocess.Popen[bytes]]:
    """Start it, yield it once its health answers, end it; what it says is written to the log."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=out, stderr=out)

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{url}{health}").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(ready, start_s, log.read_text)
        yield process
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
