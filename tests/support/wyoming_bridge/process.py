"""The real bridge as a process of its own, told what its pod is told."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway_process import until

from .asking import Bridge
from .environment import python

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10
HOST = "127.0.0.1"


@contextmanager
def running(log: Path, told: Mapping[str, str], port: int) -> Iterator[Bridge]:
    """Run the bridge with these variables on a port of this machine, until the block ends."""
    environment = {**os.environ, **told, "WYOMING_URI": f"tcp://{HOST}:{port}"}
    command = [str(python()), "-m", "wyoming_openai"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def listens() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as tried:
            return tried.connect_ex((HOST, port)) == 0

    try:
        until(listens, START_TIMEOUT_S, log.read_text)
        yield Bridge(HOST, port)
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)
