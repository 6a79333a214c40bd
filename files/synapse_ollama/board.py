"""What is to be seen of the fetcher: how each model of the catalogue stands, for whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from synapse_ollama.order import starter_of
from synapse_ollama.plan import GIB, Action, Install, Remove, State, full_name
from synapse_ollama.progress import MIB, Progress

THERE, WAITS, PULLING, MAKING, FAILED = "there", "waits", "pulling", "making", "failed"
REMOVING = "removing"
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How one model stands."""

    name: str
    source: str
    state: str = THERE
    is_starter: bool = False
    is_download: bool = False
    done_bytes: int = 0
    total_bytes: int = 0
    rate_bytes_s: float = 0.0
    reason: str = ""
    """Why it failed."""

    @property
    def share(self) -> str:
        """Say how much of it is there, and how fast more comes."""
        if not self.total_bytes:
            return "just begun"
        return (
            f"{100 * self.done_bytes // self.total_bytes} %, {self.done_bytes / GIB:.1f} of "
            f"{self.total_bytes / GIB:.1f} GiB, {self.rate_bytes_s / MIB:.0f} MiB/s"
        )


class Board:
    """One thread writes it, others read it or wait for the next look."""

    def __init__(self, rate_bytes_s: float | None = None) -> None:
        """Begin with the rate that earlier downloads were measured at; None: nobody knows."""
        self._changed = threading.Condition()
        self._models: dict[str, Standing] = {}
        self._looks = 0
        self._is_busy = True
        self._wanted = False
        self._why = ""
        self._again_in_s = 0.0
        self.rate_bytes_s = rate_bytes_s

    def looked(self, entries: Iterable[Entry], actions: Iterable[Action], state: State) -> None:
        """Take over a new look: what is there, and what is to be done, in this order."""
        entries, actions = list(entries), list(actions)
        starter = starter_of(entries)
        known = {str(one["name"]): _standing(one, state, starter) for one in entries}
        todo = {action.name: action for action in actions if isinstance(action, Install)}
        waiting = {name: _waiting(known.pop(name), action) for name, action in todo.items()}
        going = [action.name for action in actions if isinstance(action, Remove)]
        leaving = {name: Standing(name, name, REMOVING) for name in going}
        with self._changed:
            self._models = {**leaving, **waiting, **known}
            self._looks += 1
            self._is_busy, self._wanted, self._why = True, False, ""
            self._changed.notify_all()

    def begins(self, name: str, *, pulling: bool) -> None:
        """Tell that a model is under way."""
        self._set(name, state=PULLING if pulling else MAKING)

    def moves(self, name: str, progress: Progress) -> None:
        """Tell how far its pull is."""
        self._set(
            name,
            done_bytes=progress.done_bytes,
            total_bytes=max(progress.total_bytes, self._models[name].total_bytes),
            rate_bytes_s=progress.rate_bytes_s,
        )

    def is_there(self, name: str, size_bytes: int) -> None:
        """Tell that a model is served."""
        self._set(name, state=THERE, done_bytes=size_bytes, total_bytes=size_bytes)

    def is_gone(self, name: str) -> None:
        """Tell that a model was removed."""
        with self._changed:
            del self._models[name]

    def failed(self, name: str, reason: str) -> None:
        """Tell why a model is not served, or not removed."""
        self._set(name, state=FAILED, reason=reason)

    def rests(self, again_in_s: float, why: str = "") -> None:
        """Tell that nothing is under way; `why`: what keeps Ollama from being asked."""
        with self._changed:
            self._is_busy, self._again_in_s, self._why = False, again_in_s, why
            self._changed.notify_all()

    def wait(self, limit_s: float) -> None:
        """Return when somebody wants a new look, at the latest after limit_s."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted, limit_s)

    def look_again(self, limit_s: float) -> None:
        """Want a new look where nothing is under way, and wait for it, at most limit_s."""
        with self._changed:
            if self._is_busy and self._looks:
                return
            looks, self._wanted = self._looks, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._looks > looks or bool(self._why), limit_s)

    def shown(self) -> dict[str, Any]:
        """Return all of it, as JSON takes it."""
        with self._changed:
            return {
                "looks": self._looks,
                "is_busy": self._is_busy,
                "why": self._why,
                "again_in_s": self._again_in_s,
                "rate_bytes_s": self.rate_bytes_s,
                "models": [vars(one) for one in self._models.values()],
            }

    def _set(self, name: str, **changes: Any) -> None:
        with self._changed:
            self._models[name] = replace(self._models[name], **changes)


def _standing(entry: Entry, state: State, starter: str | None) -> Standing:
    name = str(entry["name"])
    tag = state.tags.get(full_name(name))
    size = tag.size_bytes if tag else int((entry["disk_gib"] or 0) * GIB)
    done = size if tag else 0
    return Standing(name, entry["source"], THERE, name == starter, False, done, size)


def _waiting(standing: Standing, action: Install) -> Standing:
    done = 0 if action.pull else standing.done_bytes
    return replace(standing, state=WAITS, is_download=action.pull, done_bytes=done)
