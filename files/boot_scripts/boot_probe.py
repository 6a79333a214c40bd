"""Judge an engine's container for the kubelet: `boot_probe.py alive|ready --phase-file FILE`.

The boot lease writes down what it is doing. An engine that downloads or waits for its turn is alive
and not ready, however long that takes. One that runs is ready while /health says so, asleep or
awake, and alive while /is_sleeping is answered: its core must answer that, and a server whose core
hangs says for ever that it is healthy. A core that falls asleep or wakes does not answer either,
so the kubelet must miss more answers in a row than that takes.
It needs nothing but Python, and little of that: it is started every few seconds.
"""

from __future__ import annotations

import argparse
import functools
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

PREPARING, WAITING, STARTING, RUNNING = "preparing", "waiting", "starting", "running"
ANSWER_S = 5.0
ALIVE, READY = "/is_sleeping", "/health"


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


def answers(port: int, path: str) -> bool:
    """Ask the engine on this machine; True where it answers 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection:
            connection.settimeout(ANSWER_S)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def listens(port: int) -> bool:
    """Say whether anybody takes connections on this machine; one who is slow does."""
    try:
        socket.create_connection(("127.0.0.1", port), ANSWER_S).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def judge(
    question: str, phase: str, age_s: float, boot_limit_s: float, ask: Callable[[str], bool]
) -> tuple[bool, str]:
    """Answer `alive` or `ready`, with a sentence that says why."""
    for_so_long = f"for {age_s:.0f} s"
    if not phase:
        return False, "The boot lease has not started yet."
    if phase == RUNNING:
        path = ALIVE if question == "alive" else READY
        if ask(path):
            return True, f"The engine answers {path}."
        return False, f"The engine runs, but {path} fails."
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
    ask = functools.partial(answers, options.port)
    yes, why = judge(options.question, phase, age_s, limit_s, ask)
    print(why)
    return 0 if yes else 1


if __name__ == "__main__":
    sys.exit(main())
