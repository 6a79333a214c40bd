"""Clients that are slow or vanish, in every phase of a request and every dialect."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from abuse import asking, wire
from abuse.catalogue import BATCH
from abuse.site import Site
from abuse.story import Row, told
from every_dialect import ASKED
from gateway_process import until

LIMIT_S = 30.0
LEFT, SLOW = 499, 408
SMALL_BUFFER = 4096


@dataclass(frozen=True)
class Phase:
    """How far a client comes."""

    name: str
    engine: str
    reach: Callable[[Site, socket.socket, wire.Sent], None]
    asked: bool = False
    """An engine is at work by then, and has to be told."""
    status: int | None = LEFT
    """What its line in the log says once it has left; None: it has none."""


def _connects(_: Site, __: socket.socket, ___: wire.Sent) -> None:
    """Say nothing."""


def _half_a_head(_: Site, connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head[: len(sent.head) // 2])


def _half_a_body(_: Site, connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body[: len(sent.body) // 2])


def _whole(_: Site, connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body)


def _first_words(_: Site, connection: socket.socket, sent: wire.Sent) -> None:
    connection.sendall(sent.head + sent.body)
    heard = b""
    while b"Hello" not in heard and b"www" not in heard:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the stream ended before it said a word")
        heard += piece


PHASES = (
    Phase("connects", "well", _connects, status=None),
    Phase("sends half a head", "well", _half_a_head, status=None),
    Phase("sends half a body", "well", _half_a_body),
    Phase("waits for the first byte", "hangs", _whole, asked=True),
    Phase("has heard some words", "falls_silent", _first_words, asked=True),
    Phase("does not read on", "flood", _first_words, asked=True),
)


def vanish(site: Site, phase: Phase, each: int = 3) -> Row:
    """Let clients of every dialect come so far and go; all must be noticed."""
    with told(site, f"a client vanishes: {phase.name}") as story:
        seen = site.seen(phase.engine)
        before = len(site.gateway.lines)
        with _reached(site, phase, each) as connections:
            pass
        story.outcomes += ["left"] * len(connections)
        if phase.asked:
            _told(site, story.faults, phase, seen, len(connections))
        if phase.status is not None:
            missing = _without_line(site, before, phase.status, each)
            story.expect(not missing, f"no line of status {phase.status} of {', '.join(missing)}")
    return story.ended


def linger(site: Site, limit_s: float) -> Row:
    """Let clients of every phase and dialect stay where they are: their places have a limit."""
    name = "clients stay where they are, in every phase"
    with told(site, name) as story, contextlib.ExitStack() as stack:
        open_ones = [
            (phase, *one)
            for phase in PHASES
            for one in stack.enter_context(_reached(site, phase, 1))
        ]
        deadline_s = time.monotonic() + limit_s
        for phase, path, connection in open_ones:
            # One whose answer waits to be read does not see the end; its place tells.
            ended = phase.asked or _ends(connection, deadline_s)
            story.outcomes.append("left" if ended else "hung")
            story.expect(ended, f"{phase.name}, {path}: still open after {limit_s:.0f} s")
        with contextlib.suppress(AssertionError):
            until(lambda: site.in_flight() == 0, max(1.0, deadline_s - time.monotonic()), str)
        held = site.in_flight()
        story.expect(held == 0, f"{held:.0f} places are held after {limit_s:.0f} s")
    return story.ended


@contextlib.contextmanager
def _reached(site: Site, phase: Phase, each: int) -> Iterator[list[tuple[str, socket.socket]]]:
    """Bring clients so far; their connections are reset at the end of the block."""
    with contextlib.ExitStack() as stack:
        reached = []
        begun = site.seen(phase.engine)["begun"]
        for path in list(ASKED) * each:
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            connection.settimeout(LIMIT_S)
            connection.connect(("127.0.0.1", site.gateway.port))
            phase.reach(site, connection, asking.text(BATCH, phase.engine, path, stream=True))
            reached.append((path, connection))
        if phase.asked:
            with contextlib.suppress(AssertionError):
                until(
                    lambda: site.seen(phase.engine)["begun"] >= begun + len(reached), LIMIT_S, str
                )
        yield reached


def _told(site: Site, faults: list[str], phase: Phase, before: dict[str, int], number: int) -> None:
    """Wait until the engine has seen every one of them go."""

    def gone() -> int:
        seen = site.seen(phase.engine)
        return int(seen["left"] + seen["ended"] - before["left"] - before["ended"])

    with contextlib.suppress(AssertionError):
        until(lambda: gone() >= number, LIMIT_S, str)
    if gone() < number:
        faults.append(f"the engine works on for {number - gone()} of {number} who left")


def _without_line(site: Site, before: int, status: int, each: int) -> list[str]:
    """Return the paths of which there are fewer lines than there were clients."""

    def missing() -> list[str]:
        lines = [line for line in site.gateway.lines[before:] if line.get("status") == status]
        paths = [line["path"] for line in lines]
        return [path for path in ASKED if paths.count(path) < each]

    with contextlib.suppress(AssertionError):
        until(lambda: not missing(), LIMIT_S / 3, str)
    return missing()


def _ends(connection: socket.socket, deadline_s: float) -> bool:
    """Say whether the gateway ends a connection that says no more, before the deadline."""
    while (left_s := deadline_s - time.monotonic()) > 0:
        connection.settimeout(left_s)
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
    return False
