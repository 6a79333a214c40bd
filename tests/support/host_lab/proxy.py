"""A forward proxy that wants a password, and knows by itself where a name leads."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from host_lab.artefacts import gateway

PIECE = 1 << 16
PASSWORD_WANTED = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"


@dataclass
class Proxy:
    """A proxy that runs, and who asked it for what."""

    leads_to: dict[str, int]
    """The port of this machine behind `name:port`; nothing else is reached."""
    user: str = "synapse"
    password: str = "p%40ss-w0rd$"
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def url(self) -> str:
        """Return the address for servers in containers, with the password."""
        return f"http://{self.user}:{self.password}@{gateway()}:{self.port}"

    def word(self) -> str:
        """Return what a client has to send."""
        told = f"{self.user}:{self.password.replace('%40', '@')}"
        return f"Basic {base64.b64encode(told.encode()).decode()}"


@contextmanager
def running(leads_to: dict[str, int]) -> Iterator[Proxy]:
    """Run a proxy for as long as the block does."""
    proxy = Proxy(leads_to)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    ThreadingTCPServer.daemon_threads = True
    with ThreadingTCPServer(("0.0.0.0", 0), handler) as server:
        proxy.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()


class _Handler(StreamRequestHandler):
    proxy: Proxy

    def handle(self) -> None:
        """Answer one CONNECT and carry bytes both ways until one side ends."""
        _, target, _ = self.rfile.readline().decode().split(" ", 2)
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("proxy-authorization") != self.proxy.word():
            self.wfile.write(PASSWORD_WANTED)
            return
        self.proxy.asked.append(target)
        if target not in self.proxy.leads_to:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.proxy.leads_to[target])) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carry, args=(there, self.connection))
            back.start()
            _carry(self.connection, there)
            back.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
