"""What one request, one application or one engine does to the others, beside the same without."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from abuse import asking, cases, crowds, wire, work
from abuse.cases import AnyShape
from abuse.catalogue import HARM, OTHERS, PARALLEL, WELL
from abuse.measuring import measure
from abuse.probe import Others
from abuse.site import Site, engines, running
from gateway_bench.goals import shown
from gateway_process import until

NEIGHBOURS = 50
FRESH_MIB, SHOWN_MIB = 90, 250
STALL_S, CROWD_STALL_S, SLOWER = 0.1, 0.5, 1.5
LIMIT_S = 10.0


@dataclass(frozen=True)
class Harm:
    """One line: without the harm, with it, and what is wanted."""

    what: str
    without: float
    harmed: float
    goal: float
    unit: str

    def line(self) -> list[str]:
        """Return the cells of the table."""
        told = [shown(value, self.unit) for value in (self.without, self.harmed, self.goal)]
        return [self.what, *told[:2], f"<= {told[2]}", "" if self.harmed <= self.goal else "missed"]


def measured() -> list[Harm]:
    """Return every line, each measured on a gateway that had no trouble before."""
    with engines() as ports:
        with running(ports) as site:
            fresh_mib = work.resident_mib(site.gateway.pid)
            seen_mib = crowds.pictures(site).memory_mib
        with running(ports) as site:
            stall = _stall(site, cases.load())
        with running(ports) as site:
            neighbours, streams = _neighbours(site), _streams(site)
    memory = [
        Harm("memory of a fresh edge", fresh_mib, fresh_mib, FRESH_MIB, "MiB"),
        Harm(f"after {PARALLEL} x 10 MiB of pictures", fresh_mib, seen_mib, SHOWN_MIB, "MiB"),
    ]
    return [*memory, stall, neighbours, streams]


def _stall(site: Site, shapes: Iterable[AnyShape]) -> Harm:
    """Send each of the worst shapes; the longest wait of others, beside that of small requests."""
    quiet = [measure(site, asking.text(HARM, WELL)).longest_s for _ in range(NEIGHBOURS)]
    harmed = [measure(site, shape.request()).longest_s for shape in shapes if site.alive()]
    return Harm("longest wait beside the worst body", max(quiet), max(harmed), STALL_S, "s")


def _neighbours(site: Site) -> Harm:
    """Compare a healthy model's answers before and while another engine hangs."""
    before_s = _median_s(site)
    with ThreadPoolExecutor(PARALLEL) as pool:
        hung = asking.text(HARM, "hangs")
        waiting = [pool.submit(wire.exchange, site.gateway.port, hung) for _ in range(PARALLEL)]
        until(lambda: site.seen("hangs")["begun"] > 0, LIMIT_S, str)
        while_s = _median_s(site)
        for each in waiting:
            each.result()
    name = "a healthy model's answer while another engine hangs"
    return Harm(name, 1000 * before_s, 1000 * while_s, 1000 * SLOWER * before_s, "ms")


def _median_s(site: Site) -> float:
    sent = asking.text(HARM, WELL)
    answers = [wire.exchange(site.gateway.port, sent) for _ in range(NEIGHBOURS)]
    refused = any(answer.status != 200 for answer in answers)
    return float("inf") if refused else statistics.median(answer.seconds for answer in answers)


def _streams(site: Site) -> Harm:
    """Compare what others wait beside one stream and beside all; a short one counts as for ever."""
    with Others(site) as quiet:
        wire.exchange(site.gateway.port, asking.text(OTHERS, "wide", stream=True))
    row = crowds.streams(site)
    whole = row.answered + row.errors == row.requests
    harmed_s = row.longest_s if whole else float("inf")
    name = f"longest wait beside {crowds.STREAMS} streams"
    return Harm(name, quiet.longest_s, harmed_s, CROWD_STALL_S, "s")
