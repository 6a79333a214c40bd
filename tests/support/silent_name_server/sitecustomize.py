"""Python loads this by itself where its folder is on the path: of one domain no name is told.

uvloop looks names up in four threads of libuv, which are busy until the resolver gives up. So it is
here: four who ask for names of that domain keep everybody else from asking.
"""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvloop

NAMELESS = "nameless.test"
SILENT_S = 12
THREADS = 4
_ask = socket.getaddrinfo
_threads = ThreadPoolExecutor(THREADS)


def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
    """Ask the resolver, or wait for the one that is silent."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name.endswith(NAMELESS):
        time.sleep(SILENT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _ask(host, *arguments, **named)


async def look_up(loop: asyncio.AbstractEventLoop, host: Any, port: Any, **named: Any) -> Any:
    """Look a name up as uvloop does."""
    return await loop.run_in_executor(_threads, lambda: getaddrinfo(host, port, **named))


socket.getaddrinfo = getaddrinfo
setattr(uvloop.Loop, "getaddrinfo", look_up)  # noqa: B010  # of another signature
