"""Who decides whether Synapse may close, harden or collect on a server: its site, or its past."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Enforceable = Literal["firewall", "hardening", "image_collection"]


def enforced(what: Enforceable, enforce: Collection[str] | None, was_lived_in: bool | None) -> bool:
    """Return whether this may be done on the server.

    What the site says counts. Where it says nothing (`enforce` is None), all is done on a server
    that was empty when Synapse first came, and nothing on one that was lived in, or of which
    nobody knows what it was.
    """
    if enforce is not None:
        return what in enforce
    return was_lived_in is False
