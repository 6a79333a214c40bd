"""What one request, one application or one engine does to the others, beside the same without."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from abuse import asking, cases, crowds, wire, work
from abuse.cases import AnyShape
from abuse.catalogue import HARM, MEMORY_MIB, OTHERS, PARALLEL, WELL
from abuse.crowds import RECORDINGS
from abuse.measuring import measure
from abuse.probe import Others, settle
from abuse.site import Site, engines, running
from abuse.story import at_once
from gateway_bench import hearing
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
        times = shown(self.harmed / self.without, "x") if self.without else ""
        met = "" if self.harmed <= self.goal else "missed"
        return [self.what, *told[:2], times, f"<= {told[2]}", met]


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
        with running(ports) as site:
            heard = _heard(site)
        with running(ports) as site:
            largest = _largest(site)
    memory = [
        Harm("memory of a fresh edge", fresh_mib, fresh_mib, FRESH_MIB, "MiB"),
        Harm(f"after {PARALLEL} x 10 MiB of pictures", fresh_mib, seen_mib, SHOWN_MIB, "MiB"),
    ]
    return [*memory, *largest, stall, *neighbours, streams, *heard]


def _stall(site: Site, shapes: Iterable[AnyShape]) -> Harm:
    """Send each of the worst shapes; the longest wait of others, beside that of small requests."""
    quiet = [measure(site, asking.text(HARM, WELL)).longest_s for _ in range(NEIGHBOURS)]
    harmed = [measure(site, shape.request()).longest_s for shape in shapes if site.alive()]
    return Harm("longest wait beside the worst body", max(quiet), max(harmed), STALL_S, "s")


def _neighbours(site: Site) -> list[Harm]:
    """Compare a healthy model's answers before and while another engine of its application hangs.

    That one has as many requests as the application may send to a model.
    """
    before = _answers(site)
    with ThreadPoolExecutor(PARALLEL) as pool:
        begun = site.seen("hangs")["begun"]
        hung = asking.text(HARM, "hangs")
        waiting = [pool.submit(wire.exchange, site.gateway.port, hung) for _ in range(PARALLEL)]
        until(lambda: site.seen("hangs")["begun"] >= begun + PARALLEL, LIMIT_S, str)
        meanwhile = _answers(site)
        still = sum(not each.done() for each in waiting)
    assert still == PARALLEL, f"{PARALLEL - still} were given up before the others were measured"
    what = f"refused of {NEIGHBOURS} by a healthy model while another engine hangs"
    refused = [sum(one.status != 200 for one in answers) for answers in (before, meanwhile)]
    before_ms, while_ms = (_median_ms(answers) for answers in (before, meanwhile))
    return [
        Harm(what, refused[0], refused[1], 0, "requests"),
        Harm("a healthy model's answer meanwhile", before_ms, while_ms, SLOWER * before_ms, "ms"),
    ]


def _answers(site: Site) -> list[wire.Answer]:
    sent = asking.text(HARM, WELL)
    return [wire.exchange(site.gateway.port, sent) for _ in range(NEIGHBOURS)]


def _median_ms(answers: list[wire.Answer]) -> float:
    return 1000 * statistics.median(answer.seconds for answer in answers)


def _largest(site: Site) -> list[Harm]:
    """Use all places with the largest bodies, one kind after the other; the process lives."""
    fresh_mib = work.resident_mib(site.gateway.pid)
    harms, peak_mib = [], 0.0
    for name, shape in crowds.largest_shapes(site):
        work.forget_peak(site.gateway.pid)
        answers = at_once(site, [shape.request()] * PARALLEL)
        alone = sum(not _is_told(answer) for answer in answers)
        what = f"neither answered nor 503 with Retry-After: {PARALLEL} x {name}"
        harms.append(Harm(what, 0, alone, 0, "requests"))
        lives = settle(site, LIMIT_S)
        peak_mib = max(peak_mib, work.peak_mib(site.gateway.pid)) if lives else float("inf")
    return [*harms, Harm("memory meanwhile", fresh_mib, peak_mib, MEMORY_MIB, "MiB")]


def _is_told(answer: wire.Answer) -> bool:
    when = answer.status == 503 and "retry-after" in answer.headers
    return answer.outcome == "answered" or when


def _heard(site: Site) -> list[Harm]:
    """Compare a command alone with one behind the recordings of others."""
    batch, long = hearing.behind_batch(site), hearing.beside_long(site)
    turns = site.settings.transcription_concurrency
    return [
        Harm(f"a command behind {RECORDINGS} batch recordings", *batch, 1.0, "turns"),
        Harm(f"a command beside {turns} long ones", *long, hearing.BESIDE_LONG_S, "s"),
    ]


def _streams(site: Site) -> Harm:
    """Compare what others wait beside one stream and beside all; a short one counts as for ever."""
    with Others(site) as quiet:
        wire.exchange(site.gateway.port, asking.text(OTHERS, "wide", stream=True))
    row = crowds.streams(site)
    whole = row.answered + row.errors == row.requests
    harmed_s = row.longest_s if whole else float("inf")
    name = f"longest wait beside {crowds.STREAMS} streams"
    return Harm(name, quiet.longest_s, harmed_s, CROWD_STALL_S, "s")
