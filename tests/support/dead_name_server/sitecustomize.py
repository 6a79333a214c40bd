"""Python loads this by itself where its folder is on the path: a name server that does not answer.

A resolver waits 5 s for each of its questions and asks several times; no test has a real one that
is silent, and this is where a program meets it.
"""

import socket
import time
from typing import Any

NAMELESS = "nameless.test"
SILENT_S = 60
_ask = socket.getaddrinfo


def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
    """Ask the resolver, or wait for the one that is silent."""
    if host in (NAMELESS, NAMELESS.encode()):
        time.sleep(SILENT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _ask(host, *arguments, **named)


socket.getaddrinfo = getaddrinfo
