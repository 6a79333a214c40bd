"""Everybody else: clients that ask small things all the time, and note how long they waited."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

from abuse import wire, work
from abuse.catalogue import OTHERS, WELL
from abuse.site import Site

PAUSE_S = 0.02
LIMIT_S = 30.0
HEALTH = wire.Sent(b"GET /health/live HTTP/1.1\r\nhost: kit\r\nconnection: close\r\n\r\n")


@dataclass(frozen=True)
class Look:
    """One small request, and what the gateway worked while it waited."""

    status: int
    seconds: float
    cpu_s: float


@dataclass
class Others:
    """The looks of everybody else while the block runs."""

    site: Site
    model: str = WELL
    """What they ask for."""
    health: list[Look] = field(default_factory=list)
    chats: list[Look] = field(default_factory=list)

    def __enter__(self) -> Others:
        """Begin, and go on until the block ends."""
        self._done = threading.Event()
        pairs = ((HEALTH, self.health), (_chat(self.model), self.chats))
        self._threads = [threading.Thread(target=self._look, args=pair) for pair in pairs]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Let the looks that are on their way end."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    @property
    def asked(self) -> int:
        """Return how often they asked."""
        return len(self.health) + len(self.chats)

    @property
    def answered(self) -> int:
        """Return how often they were answered."""
        return sum(look.status == 200 for look in (*self.health, *self.chats))

    @property
    def longest_s(self) -> float:
        """Return the longest wait of one of them."""
        return max((look.seconds for look in (*self.health, *self.chats)), default=0.0)

    @property
    def longest_work_s(self) -> float:
        """Return the most processor time that the gateway used while one look at its health waited.

        That look needs next to nothing, so this is the work of others that it had to wait for.
        """
        return max((look.cpu_s for look in self.health), default=0.0)

    def _look(self, sent: wire.Sent, looks: list[Look]) -> None:
        pids, port = self.site.pids, self.site.gateway.port
        while not self._done.is_set():
            before_s = work.cpu_s(*pids)
            answer = wire.exchange(port, sent, LIMIT_S)
            looks.append(Look(answer.status, answer.seconds, work.cpu_s(*pids) - before_s))
            self._done.wait(PAUSE_S)


def _chat(model: str) -> wire.Sent:
    body = b'{"model":"%s","messages":[{"role":"user","content":"hi"}]}' % model.encode()
    return wire.Sent(wire.head("/v1/chat/completions", OTHERS, size=len(body)), body)


def settle(site: Site, limit_s: float) -> bool:
    """Say whether the gateway answers again within the limit."""
    deadline_s = time.monotonic() + limit_s
    while site.alive() and (left_s := deadline_s - time.monotonic()) > 0:
        if wire.exchange(site.gateway.port, HEALTH, left_s).status == 200:
            return True
    return False
