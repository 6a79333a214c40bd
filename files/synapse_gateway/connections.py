"""How many connections there are, of whom, and what is told of those that are refused."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web
from prometheus_client import Counter

from synapse_common.refusals import Refusal
from synapse_gateway.client_address import Proxies, sender_of
from synapse_gateway.few_lines import FewLines
from synapse_gateway.log_pipe import now
from synapse_gateway.settings import Settings
from synapse_gateway.watch import Watch


class Held(Protocol):
    """A connection as it is counted."""

    def is_idle(self) -> bool:
        """Say whether it is open without a whole request."""

    def force_close(self) -> None:
        """Close it at once."""


class Connections:
    """The open connections of one port, at most so many in all and of one sender."""

    def __init__(
        self, settings: Settings, refused: Counter, few_lines: FewLines, watch: Watch | None = None
    ) -> None:
        """Count refusals by reason; tell the watch of bodies as they grow."""
        self.settings = settings
        self._refused = refused
        self._few_lines = few_lines
        self._watch = watch
        self._proxies = Proxies(settings.trusted_proxies)
        self._all: dict[Held, str] = {}
        """In the order in which they came, each with its sender."""
        self._of: dict[str, int] = {}

    def enter(self, connection: Held, address: str | None) -> bool:
        """Count a connection; say whether there is room, for which an idle one may have to go."""
        sender = "" if self._proxies.include(address) else sender_of(address)
        if sender and self._of.get(sender, 0) >= self.settings.connections_per_address:
            if not self._make_room(sender):
                return False
        elif len(self._all) >= self.settings.connections and not self._make_room():
            return False
        self._all[connection] = sender
        self._of[sender] = self._of.get(sender, 0) + 1
        return True

    def leave(self, connection: Held) -> None:
        """Forget a connection, which may be forgotten already."""
        sender = self._all.pop(connection, None)
        if sender is None:
            return
        self._of[sender] -= 1
        if not self._of[sender]:
            del self._of[sender]

    def tell(self, client: str | None, refusal: Refusal, request_id: str, why: str) -> None:
        """Log and count a refusal of what never became a request."""
        self._refused.labels(refusal.code).inc()
        line = {"ts": now(), "event": "refused", "request_id": request_id, "client": client}
        self._few_lines.write(
            client, line | {"status": refusal.status, "error": refusal.code, "why": why}
        )

    def note_body(self, request: web.BaseRequest) -> None:
        """Look at a body that grows."""
        if self._watch:
            self._watch.note_body(request)

    def _make_room(self, sender: str | None = None) -> bool:
        """Close the oldest idle connection, of this sender or of anybody."""
        for connection, whose in self._all.items():
            if sender in (None, whose) and connection.is_idle():
                self.leave(connection)
                connection.force_close()
                return True
        return False
