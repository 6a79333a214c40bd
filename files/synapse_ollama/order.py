"""Which models are brought first: so that somebody is answered soon, whatever else is to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_ollama.plan import Action, Install

STARTER_GIB = 5.0
"""The first answer must not wait for more than this."""

CHAT = "chat"


def size_gib(entry: Mapping[str, Any]) -> float:
    """Return what a model takes on the disk; one whose size nobody knows is the largest."""
    return float(entry.get("disk_gib") or "inf")


def starter_of(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the smallest model that chats: with it the first answer comes; None: there is none."""
    chatting = [entry for entry in entries if entry.get("kind") == CHAT]
    return str(min(chatting, key=size_gib)["name"]) if chatting else None


def ordered(actions: Iterable[Action], entries: Iterable[Mapping[str, Any]]) -> tuple[Action, ...]:
    """Return the actions in their order: the starter, what needs no download, the rest by size.

    What nobody names any more goes before all: it makes room, and the gateway asks for it no more.
    """
    entries = list(entries)
    sizes = {str(entry["name"]): size_gib(entry) for entry in entries}
    starter = starter_of(entries)

    def place(action: Action) -> tuple[bool, bool, bool, float]:
        if not isinstance(action, Install):
            return False, False, False, 0
        return True, action.name != starter, action.pull, sizes[action.name]

    return tuple(sorted(actions, key=place))
