"""A port that leads elsewhere: many callers at once, bytes as they come, a new way each time."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from synapse_cli.cluster import ClusterError
from synapse_cli.port_forward import Forward

LIMIT_S = 10.0
Dial = Callable[[], socket.socket]


@contextmanager
def forward(dial: Dial) -> Iterator[Forward]:
    """A forward that runs."""
    with Forward(0, dial) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield opened
        opened.shutdown()


class Inside:
    """What is forwarded to: hands out the far ends of the connections that were dialled."""

    def __init__(self) -> None:
        """Nobody has dialled yet."""
        self._far_ends: queue.Queue[socket.socket] = queue.Queue()

    def dial(self) -> socket.socket:
        """Connect."""
        near, far = socket.socketpair()
        far.settimeout(LIMIT_S)
        self._far_ends.put(far)
        return near

    def answer(self) -> socket.socket:
        """Take the next connection."""
        return self._far_ends.get(timeout=LIMIT_S)


def call(opened: Forward) -> socket.socket:
    """Connect to a forward's port."""
    return socket.create_connection(("127.0.0.1", opened.server_address[1]), LIMIT_S)


def send_and_close(far: socket.socket, sent: bytes) -> None:
    with far:
        far.sendall(sent)


def test_pieces_pass_both_ways_as_they_come() -> None:
    inside = Inside()
    with forward(inside.dial) as opened, closing(call(opened)) as caller:
        far = inside.answer()
        for question, piece in ((b"one", b"data: 1"), (b"two", b"data: 2")):
            caller.sendall(question)
            assert far.recv(99) == question
            far.sendall(piece)
            assert caller.recv(99) == piece


def test_many_callers_are_served_at_once_each_with_a_connection_of_its_own() -> None:
    inside = Inside()
    with forward(inside.dial) as opened:
        pairs = [(call(opened), inside.answer()) for _ in range(20)]
        for number, (_, far) in reversed(list(enumerate(pairs))):
            far.sendall(b"%d" % number)
        assert [caller.recv(99) for caller, _ in pairs] == [b"%d" % n for n in range(20)]
        for caller, _ in pairs:
            caller.close()


def test_much_passes_unchanged() -> None:
    inside, sent = Inside(), bytes(range(256)) * 20_000
    with forward(inside.dial) as opened, closing(call(opened)) as caller:
        far = inside.answer()
        threading.Thread(target=send_and_close, args=(far, sent), daemon=True).start()
        assert b"".join(iter(lambda: caller.recv(65536), b"")) == sent


def test_an_end_on_either_side_ends_the_other() -> None:
    inside = Inside()
    with forward(inside.dial) as opened:
        caller, far = call(opened), inside.answer()
        caller.close()
        assert far.recv(99) == b""
        caller, far = call(opened), inside.answer()
        far.close()
        assert caller.recv(99) == b""
        caller.close()


def test_where_nobody_is_reached_the_caller_is_told_and_the_next_one_tries_anew() -> None:
    inside, away = Inside(), [True]

    def dial() -> socket.socket:
        if away.pop():
            raise ClusterError("The arbiter does not run just now.")
        return inside.dial()

    with forward(dial) as opened:
        with closing(call(opened)) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
            said = b"".join(iter(lambda: caller.recv(999), b"")).decode()
        assert said.startswith("HTTP/1.1 503 ")
        assert said.endswith("\r\n\r\nThe arbiter does not run just now.\n")
        away.append(False)
        with closing(call(opened)) as caller:
            inside.answer().sendall(b"here")
            assert caller.recv(99) == b"here"


def test_only_this_machine_can_call() -> None:
    with Forward(0, Inside().dial) as opened:
        assert opened.server_address[0] == "127.0.0.1"
        assert opened.url == f"http://127.0.0.1:{opened.server_address[1]}/"


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with Forward(0, Inside().dial) as opened:
        port = int(opened.server_address[1])
        with pytest.raises(ClusterError, match=rf"Port {port} of this machine is not free"):
            Forward(port, Inside().dial)
