"""What reaches the server, tried by real connections from another machine of its LAN."""

from collections.abc import Iterator

import pytest

from host_lab.lan import CONNECT, listening, reached
from host_lab.server import Server

OPENED, UNASKED = 8000, 9000


@pytest.fixture(scope="module", name="listening")
def listening_server(machine: Server) -> Iterator[Server]:
    """The server with programs that listen on the gateway's port and on one nobody opened."""
    with listening(machine, OPENED, UNASKED):
        yield machine


@pytest.mark.parametrize("port", [22, OPENED])
def test_ssh_and_the_gateway_are_reached(neighbour: Server, listening: Server, port: int) -> None:
    assert reached(neighbour, listening, port)


@pytest.mark.parametrize("port", [UNASKED, 10250, 6443])
def test_nothing_else_is_reached(neighbour: Server, listening: Server, port: int) -> None:
    assert listening.shell(f"ss -Hltn sport = {port}")
    assert not reached(neighbour, listening, port)


def test_server_reaches_others_and_itself(neighbour: Server, listening: Server) -> None:
    assert reached(listening, neighbour, 22)
    assert reached(listening, listening, UNASKED)


def test_pods_reach_the_api(listening: Server) -> None:
    process = listening.shell("pgrep --full 'coredns -conf' | head -1").strip()
    inside = f"nsenter --target={process} --net"
    api = CONNECT.format(address="10.43.0.1", port=443)
    assert "open" in listening.shell(f"{inside} {api}")
