"""Clients that are slow or vanish, in every phase of a request and every dialect."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

from abuse.catalogue import BATCH
from abuse.phases import LIMIT_S, SOUND, TEXT, Phase, ahead, turns_back
from abuse.site import Site
from abuse.story import Row, Story, told
from gateway_process import until

PHASES = (*TEXT, *SOUND)
SMALL_BUFFER = 4096


def vanish(site: Site, phase: Phase) -> Row:
    """Let clients of every dialect come so far and go; all must be noticed."""
    with told(site, f"a client vanishes: {phase.name}") as story:
        working, logged = _working(site, phase), len(site.gateway.lines)
        with _reached(story, phase, phase.each) as connections:
            pass
        story.outcomes += ["left"] * len(connections)
        if phase.asked:
            with contextlib.suppress(AssertionError):
                until(lambda: _working(site, phase) <= working, LIMIT_S, str)
            more = _working(site, phase) - working
            story.expect(more <= 0, f"the engine works on for {more} of {len(connections)}")
        if phase.status is not None:
            missing = _without_line(site, phase, logged)
            story.expect(not missing, f"no line of status {phase.status} of {', '.join(missing)}")
        _expect_turns(story, {phase.hears} - {""})
    return story.ended


def linger(site: Site, limit_s: float) -> Row:
    """Let clients of every phase and dialect stay where they are: their places have a limit."""
    name = "clients stay where they are, in every phase"
    with told(site, name) as story, contextlib.ExitStack() as stack:
        open_ones = [
            (phase, *one)
            for phase in PHASES
            for one in stack.enter_context(_reached(story, phase, 1))
        ]
        deadline_s = time.monotonic() + limit_s
        for phase, path, connection in open_ones:
            # One whose answer waits to be read does not see the end; its place tells.
            ended = phase.complete or _ends(connection, deadline_s)
            story.outcomes.append("left" if ended else "hung")
            story.expect(ended, f"{phase.name}, {path}: still open after {limit_s:.0f} s")
        with contextlib.suppress(AssertionError):
            until(lambda: site.in_flight() == 0, max(1.0, deadline_s - time.monotonic()), str)
        held = site.in_flight()
        story.expect(held == 0, f"{held:.0f} places are held after {limit_s:.0f} s")
        _expect_turns(story, {phase.hears for phase in PHASES} - {""})
    return story.ended


def _expect_turns(story: Story, models: set[str]) -> None:
    for model in sorted(models):
        story.expect(turns_back(story.site, model), f"{model}: turns or places are not given back")


@contextlib.contextmanager
def _reached(story: Story, phase: Phase, each: int) -> Iterator[list[tuple[str, socket.socket]]]:
    """Bring clients so far; their connections are reset at the end of the block."""
    site = story.site
    with contextlib.ExitStack() as stack:
        stack.enter_context(ahead(site, phase))
        reached = []
        before = phase.arrived(site)
        for path in list(phase.paths) * each:
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            connection.settimeout(LIMIT_S)
            connection.connect(("127.0.0.1", site.gateway.port))
            phase.reach(connection, phase.ask(path))
            reached.append((path, connection))
        if phase.complete:
            wanted = before + len(reached)
            with contextlib.suppress(AssertionError):
                until(lambda: phase.arrived(site) >= wanted, LIMIT_S, str)
            missing = wanted - phase.arrived(site)
            story.expect(missing <= 0, f"{phase.name}: {missing} of {len(reached)} came less far")
        yield reached


def _working(site: Site, phase: Phase) -> int:
    """Return how many requests the engine is at work on."""
    seen = site.seen(phase.engine)
    return int(seen["begun"] - seen["left"] - seen["ended"])


def _without_line(site: Site, phase: Phase, before: int) -> list[str]:
    """Return the paths of which there are fewer lines than there were clients."""

    def missing() -> list[str]:
        lines = [line for line in site.gateway.lines[before:] if line.get("app") == BATCH]
        paths = [line["path"] for line in lines if line.get("status") == phase.status]
        return [path for path in phase.paths if paths.count(path) < phase.each]

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
