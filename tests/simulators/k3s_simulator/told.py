"""Lines of the log in K3s' shape, and words to systemd."""

import os
import socket
import sys
import time
from typing import NoReturn


def info(message: str) -> None:
    """Write a line of the log."""
    _line("info", message)


def warning(message: str) -> None:
    """Write a line about something that is odd."""
    _line("warning", message)


def fatal(message: str) -> NoReturn:
    """Write why it cannot go on, and end."""
    _line("fatal", message)
    os._exit(1)


def ready() -> None:
    """Tell systemd that the service has started."""
    if address := os.environ.pop("NOTIFY_SOCKET", ""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.sendto(b"READY=1\n", address.replace("@", "\0", 1))


def _line(level: str, message: str) -> None:
    quoted = message.replace("\\", "\\\\").replace('"', '\\"')
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(f'time="{when}" level={level} msg="{quoted}"', file=sys.stderr, flush=True)
