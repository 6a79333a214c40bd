"""Real connections among the lab's servers, and programs that listen on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from host_lab.server import Server

# Any program that listens on every address.
LISTENER = "python3 -m http.server"
CONNECT = "timeout 3 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2>/dev/null && echo open || true"


def reached(by: Server, server: Server, port: int) -> bool:
    """Tell whether one server connects to a port of another."""
    return "open" in by.shell(CONNECT.format(address=server.address(), port=port))


@contextmanager
def listening(server: Server, *ports: int) -> Iterator[None]:
    """Run a program on each of these ports for as long as the block does."""
    for port in ports:
        server.shell(f"systemd-run --quiet --collect --unit=listener-{port} {LISTENER} {port}")
        server.shell(f"timeout 20 bash -c 'until ss -Hltn sport = {port} | grep -q .; do :; done'")
    try:
        yield
    finally:
        server.shell(f"systemctl stop {' '.join(f'listener-{port}' for port in ports)}")
