"""All cases in their order, short or in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from abuse import arbitrated, asking, bodies, cases, crowds, leaving, outside
from abuse.behaviours import BAD
from abuse.catalogue import HARM, LIMITS, SEES
from abuse.crowds import MIB, ROOM
from abuse.forms import FormShape
from abuse.heads import HeadShape
from abuse.search import Found, worst_of
from abuse.shapes import Shape
from abuse.site import Site, Standing, running
from abuse.story import WORK_S, Row, at_once, told
from every_dialect import ASKED

Say = Callable[[str], None]
HUNG = ("hangs", "reads_nothing", "falls_silent", "crawls")
"""Engines that keep who asks them."""
QUICK = tuple(name for name in BAD if name not in HUNG)
HOLDS_S = 4.0
"""How much longer than the longest limit of the gateway a client that stays is watched."""
KEPT = 8
"""The worst of each sort that become cases."""
MANY_EVENTS = "sends_a_million_events"
MANY_EVENTS_WORK_S = 0.3
"""One such answer, read as a whole, is 0.04 s of work; here six come in the same turn."""


@dataclass
class Played:
    """What was seen."""

    rows: list[Row] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def play(ports: Mapping[str, int], say: Say, *, search_s: float, first: int, seed: int) -> Played:
    """Play everything, then search; the rows come in the order of the table."""
    played = Played()
    for row in _rows(ports):
        say(f"{row.case}: {'; '.join(row.faults) or 'as it should be'}")
        played.rows.append(row)
    with running(ports) as site:
        found = bodies.searched(site, first=first, limit_s=search_s, seed=seed)
    played.found = found
    say(f"{len(found)} shapes were tried.")
    with running(ports) as site:
        played.rows.append(bodies.replay(site, "the worst bodies found now", worst_of(found, KEPT)))
    return played


def _rows(ports: Mapping[str, int]) -> Iterator[Row]:
    """Play one case after the other; what may kill the process begins with a fresh one."""
    for name, kind in (("bodies", Shape), ("forms", FormShape), ("headers", HeadShape)):
        with running(ports) as site:
            kept = [shape for shape in cases.load() if isinstance(shape, kind)]
            yield bodies.replay(site, f"the worst {name} known", kept)
    yield arbitrated.replay(ports)
    standing = Standing(ports)
    for case in together():
        yield case(standing.site())
    standing.close()
    for case in (crowds.pictures, smallest_elements):
        with running(ports) as site:
            yield case(site)
    with running(ports) as site:
        for name, shape in crowds.largest_shapes(site):
            yield crowds.largest(site, shape, name)
    yield outside.no_name_server(ports)
    yield outside.full_disk(ports)


def together() -> Iterator[Callable[[Site], Row]]:
    """Return the cases that one process can stand one after the other."""
    for name in QUICK:
        yield partial(engine, name=name)
    for stream in (False, True):
        for name in HUNG:
            yield partial(crowds.hung, engine=name, stream=stream)
    for phase in leaving.PHASES:
        yield partial(leaving.vanish, phase=phase)
    yield partial(leaving.linger, limit_s=LIMITS["total_timeout_s"] + HOLDS_S)
    yield crowds.unread
    yield crowds.streams
    yield crowds.recordings
    yield crowds.trickled


def smallest_elements(site: Site) -> Row:
    """Use all places with the largest body of the smallest elements."""
    size = site.settings.json_body_mib * MIB - ROOM
    shape = Shape(asking.CHAT, "messages", "objects", size, model=SEES)
    return crowds.largest(site, shape, "empty objects")


def engine(site: Site, name: str) -> Row:
    """Ask an engine that lies or dies, in every dialect, whole and streamed."""
    work_s = MANY_EVENTS_WORK_S if name == MANY_EVENTS else WORK_S
    with told(site, f"an engine {name.replace('_', ' ')}", work_s) as story:
        for stream in (False, True):
            requests = [asking.text(HARM, name, path, stream=stream) for path in ASKED]
            story.add(*at_once(site, requests))
    return story.ended
