"""Sends one request and says what it cost: the others' wait, the processor's time, memory."""

from __future__ import annotations

from dataclasses import dataclass

from abuse import wire, work
from abuse.catalogue import WELL
from abuse.probe import Others, settle
from abuse.site import Site

ANSWER_LIMIT_S = 60.0


@dataclass(frozen=True)
class Cost:
    """What one request cost."""

    outcome: str
    status: int
    reason: str
    asked: int
    """Requests of others meanwhile."""
    answered: int
    longest_s: float
    """The longest wait of one of them."""
    longest_work_s: float
    """Processor time that was spent while one of them waited: as long as one callback, or more."""
    cpu_s: float
    memory_mib: float
    """How far the memory rose."""
    lives: bool
    """The process answers afterwards."""

    @property
    def score(self) -> float:
        """Return how bad it is, each goal of the gateway being one."""
        return self.longest_work_s / 0.1 + self.cpu_s / 1.0 + self.memory_mib / 250


def measure(
    site: Site, sent: wire.Sent, limit_s: float = ANSWER_LIMIT_S, others_ask: str = WELL
) -> Cost:
    """Send it while others ask."""
    pid = site.gateway.pid
    work.forget_peak(pid)
    before_s, before_mib = work.cpu_s(*site.pids), work.resident_mib(pid)
    with Others(site, others_ask) as others:
        answer = wire.exchange(site.gateway.port, sent, limit_s)
    lives = settle(site, limit_s)
    return Cost(
        outcome=answer.outcome,
        status=answer.status,
        reason=answer.reason,
        asked=others.asked,
        answered=others.answered,
        longest_s=others.longest_s,
        longest_work_s=others.longest_work_s,
        cpu_s=work.cpu_s(*site.pids) - before_s,
        memory_mib=work.peak_mib(pid) - before_mib if lives else 0.0,
        lives=lives,
    )
