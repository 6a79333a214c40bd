"""Judge an engine's container for the kubelet: `boot_probe.py alive|ready --phase-file FILE`.

The boot lease writes down what it is doing. An engine that downloads or waits for its turn is alive
and not ready, however long that takes; one that runs must say that it is healthy, asleep or awake.
It needs nothing but Python, and little of that: it is started every few seconds.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

PREPARING, WAITING, STARTING, RUNNING = "preparing", "waiting", "starting", "running"
HEALTH_S = 5.0


def tell(file: str, phase: str) -> None:
    """Write down what is being done from now on; an empty file name tells nobody."""
    if file:
        Path(f"{file}.new").write_text(f"{phase} {time.monotonic()}")
        os.replace(f"{file}.new", file)


def read(file: str) -> tuple[str, float]:
    """Return what is being done, and for how many seconds; nothing before the first word."""
    try:
        phase, since_s = Path(file).read_text().split()
    except (OSError, ValueError):
        return "", 0.0
    return phase, time.monotonic() - float(since_s)


def healthy(port: int) -> bool:
    """Ask the engine on this machine; it is healthy asleep as well, and not once it is dead."""
    try:
        with socket.create_connection(("127.0.0.1", port), HEALTH_S) as connection:
            connection.settimeout(HEALTH_S)
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def judge(
    question: str, phase: str, age_s: float, boot_limit_s: float, health: Callable[[], bool]
) -> tuple[bool, str]:
    """Answer `alive` or `ready`, with a sentence that says why."""
    for_so_long = f"for {age_s:.0f} s"
    if not phase:
        return False, "The boot lease has not started yet."
    if phase == RUNNING:
        well = health()
        return well, "The engine is healthy." if well else "The engine runs, but /health fails."
    if question == "ready":
        return False, f"The engine is {phase} {for_so_long}; it is ready once it runs."
    if phase == STARTING and age_s > boot_limit_s:
        return False, f"The engine is starting {for_so_long}; {boot_limit_s:.0f} s are the limit."
    return True, f"The engine is {phase} {for_so_long}."


def main() -> int:
    """Return 0 for yes and 1 for no."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", choices=["alive", "ready"])
    parser.add_argument("--phase-file", required=True)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--boot-limit-s", type=float, default=1800)
    options = parser.parse_args()
    phase, age_s = read(options.phase_file)
    limit_s = options.boot_limit_s
    yes, why = judge(options.question, phase, age_s, limit_s, lambda: healthy(options.port))
    print(why)
    return 0 if yes else 1


if __name__ == "__main__":
    sys.exit(main())
