"""Which web pages may ask: the headers with which a browser is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synapse_common import protocol

ANY = "*"
METHODS = "GET, POST, HEAD, OPTIONS"
SHOWN = ", ".join(
    (
        protocol.REQUEST_ID,
        protocol.MODEL,
        protocol.ENGINE,
        protocol.OUTSIDE,
        protocol.IGNORED,
        "retry-after",
    )
)
KEPT_S = 600
"""How long a browser may remember the answer."""


class Cors:
    """Answers for the pages of these origins, and for no others."""

    def __init__(self, origins: Sequence[str]) -> None:
        """Allow these origins; `*` allows every one."""
        self._origins = frozenset(origins)

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return what a page of this origin must find on every answer, errors too."""
        if not self._origins:
            return {}
        # A cache must not give one page the answer for another.
        told = {} if ANY in self._origins else {"vary": "origin"}
        if origin is None or not (ANY in self._origins or origin in self._origins):
            return told
        allowed = ANY if ANY in self._origins else origin
        return {
            **told,
            "access-control-allow-origin": allowed,
            "access-control-expose-headers": SHOWN,
        }

    def preflight(self, headers: Mapping[str, str]) -> dict[str, str] | None:
        """Return the answer to a browser that asks beforehand; None: the page may not ask."""
        found = self.headers(headers.get("origin"))
        if "access-control-allow-origin" not in found:
            return None
        wanted = headers.get("access-control-request-headers", "authorization, content-type")
        return {
            **found,
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": wanted,
            "access-control-max-age": str(KEPT_S),
        }
