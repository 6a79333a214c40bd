"""A port of this machine that leads into the cluster, for as long as it is open."""

import errno
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress

from synapse_cli.cluster import ClusterError

HOST = "127.0.0.1"
PIECE = 65536
REFUSAL = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"


class Forward(socketserver.ThreadingTCPServer):
    """Listens on this machine alone; whoever connects is led to what `dial` connects to then."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, dial: Callable[[], socket.socket]) -> None:
        """Open the port (0: any); raise ClusterError when it is taken."""
        self.dial = dial
        try:
            super().__init__((HOST, port), _Caller)
        except OSError as fault:
            if fault.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise ClusterError(
                f"Port {port} of this machine is not free ({fault.strerror}); name another one: "
                f"STATUS_PORT={port + 1}."
            ) from fault

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Caller(socketserver.BaseRequestHandler):
    """One connection, on a thread of its own."""

    server: Forward

    def handle(self) -> None:
        """Carry bytes both ways until either side closes; say why where nobody is reached."""
        here: socket.socket = self.request
        try:
            there = self.server.dial()
        except ClusterError as fault:
            here.recv(PIECE)  # an answer before the question would be lost with the connection
            here.sendall(f"{REFUSAL}\r\n{fault}\n".encode())
            return
        back = threading.Thread(target=_carry, args=(there, here), daemon=True)
        back.start()
        _carry(here, there)
        back.join()
        there.close()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, then end both: neither protocol here closes halves."""
    with suppress(OSError):  # the other direction ended it
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):  # it is closed already
            end.shutdown(socket.SHUT_RDWR)
