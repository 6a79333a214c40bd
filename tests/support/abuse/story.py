"""One row of the table: what somebody did, how his requests ended, and how everybody else fared."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from abuse import wire, work
from abuse.catalogue import MEMORY_MIB, WELL
from abuse.probe import Others, settle
from abuse.site import Site

WORK_S = 0.1
"""Processor time that others may wait for, whatever one request is."""
BACK_S = 45.0
ENDED = ("answered", "error", "left")


@dataclass(frozen=True)
class Row:
    """What the table shows of one case."""

    case: str
    requests: int
    answered: int
    errors: int
    """Requests that were told in words why they got nothing."""
    others_asked: int
    others_answered: int
    longest_s: float
    """The longest wait of one of the others."""
    longest_work_s: float
    memory_mib: float
    """The most that the process held."""
    faults: tuple[str, ...]
    """What should not have been, as sentences."""


@dataclass
class Story:
    """What is noted while it happens."""

    case: str
    site: Site
    outcomes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    row: Row | None = None

    def add(self, *answers: wire.Answer) -> None:
        """Note how requests ended."""
        self.outcomes += [answer.outcome for answer in answers]

    def expect(self, holds: bool, fault: str) -> None:
        """Note a fault unless it holds."""
        if not holds:
            self.faults.append(fault)

    @property
    def ended(self) -> Row:
        """Return the row, once the block has ended."""
        assert self.row is not None
        return self.row


@contextlib.contextmanager
def told(site: Site, case: str, work_s: float = WORK_S, others_ask: str = WELL) -> Iterator[Story]:
    """Watch the others, the process and its memory while the block does its harm."""
    story = Story(case, site)
    assert site.alive(), "the process ended in an earlier case"
    work.forget_peak(site.gateway.pid)
    with Others(site, others_ask) as others:
        yield story
    back = settle(site, BACK_S)
    story.expect(back, "the gateway does not answer any more")
    memory_mib = work.peak_mib(site.gateway.pid) if back else 0.0
    if back:
        with contextlib.suppress(AssertionError):
            site.places_back()
        story.expect(site.in_flight() == 0, f"{site.in_flight():.0f} places are not given back")
    _judge(story, others, work_s, memory_mib)
    count = Counter(story.outcomes)
    story.row = Row(
        case,
        len(story.outcomes),
        count["answered"],
        count["error"],
        others.asked,
        others.answered,
        others.longest_s,
        others.longest_work_s,
        memory_mib,
        tuple(story.faults),
    )


def _judge(story: Story, others: Others, work_s: float, memory_mib: float) -> None:
    bad = Counter(outcome for outcome in story.outcomes if outcome not in ENDED)
    for outcome, number in bad.items():
        story.faults.append(f"{number} of {len(story.outcomes)} requests: {outcome}")
    missed = others.asked - others.answered
    story.expect(not missed, f"{missed} of {others.asked} requests of others were not answered")
    waited = others.longest_work_s
    story.expect(waited <= work_s * work.slowness(), f"others waited for {waited:.2f} s of work")
    story.expect(memory_mib <= MEMORY_MIB, f"the process took {memory_mib:.0f} MiB")
    story.expect(story.site.lines_are_json(), "a line of the log is not JSON")


def at_once(
    site: Site, requests: Iterable[wire.Sent], limit_s: float = wire.LIMIT_S
) -> list[wire.Answer]:
    """Send all of them together; return their answers in the same order."""
    many = list(requests)
    with ThreadPoolExecutor(max(1, len(many))) as pool:
        return list(pool.map(lambda sent: wire.exchange(site.gateway.port, sent, limit_s), many))
