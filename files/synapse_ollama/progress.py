"""Follow the stream of a pull: how far it is, how fast, whether it fits and whether it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_ollama.plan import GIB

SAY_EVERY_S = 5.0
MIB = 1024**2


class PullError(RuntimeError):
    """A pull that cannot go on; the message is the reason."""


@dataclass(frozen=True)
class Progress:
    """How far a pull is: what is there of it, of how much, and what this pull has brought."""

    done_bytes: int = 0
    total_bytes: int = 0
    fetched_bytes: int = 0
    took_s: float = 0.0

    @property
    def rate_bytes_s(self) -> float:
        """Return what it brings in a second."""
        return self.fetched_bytes / max(self.took_s, 0.001)

    def __str__(self) -> str:
        """Say how far it is."""
        return (
            f"{100 * self.done_bytes // self.total_bytes} %, {self.done_bytes / GIB:.2f} of "
            f"{self.total_bytes / GIB:.2f} GiB, {self.rate_bytes_s / MIB:.0f} MiB/s"
        )


class PullProgress:
    """One pull. Feed it every event of the stream; it speaks now and then, and raises PullError."""

    def __init__(
        self,
        say: Callable[[str], None],
        clock: Callable[[], float],
        room_bytes: int | None,
        stall_s: float,
    ) -> None:
        """Take the bytes the pull may add (None: unknown) and the limit of a stall."""
        self._say = say
        self._clock = clock
        self._room = room_bytes
        self._stall_s = stall_s
        self._layers: dict[str, tuple[int, int, int]] = {}  # digest: (total, found there, done)
        self._began = self._spoke = self._moved = clock()

    def feed(self, event: Mapping[str, Any]) -> None:
        """Account for one event."""
        if "error" in event:
            raise PullError(str(event["error"]))
        if "digest" in event and "total" in event:
            self._account(event["digest"], event["total"], event.get("completed", 0))
        else:
            self._moved = self._clock()
        self._check_room()
        self._check_movement()
        self._speak()

    def _account(self, digest: str, total: int, done: int) -> None:
        _, found, before = self._layers.get(digest, (total, done, -1))
        self._layers[digest] = (total, found, done)
        if done > before:
            self._moved = self._clock()

    def _check_room(self) -> None:
        need = sum(total - found for total, found, _ in self._layers.values())
        if self._room is not None and need > self._room:
            raise PullError(
                f"it needs {need / GIB:.2f} GiB, and {max(0, self._room) / GIB:.2f} GiB are free "
                "beside the reserve (ollama_reserve_gib)"
            )

    def _check_movement(self) -> None:
        if self._clock() - self._moved > self._stall_s:
            raise PullError(f"no progress for {self._stall_s:.0f} s (ollama_pull_stall_s)")

    def _speak(self) -> None:
        if not self.seen.total_bytes or self._clock() - self._spoke < SAY_EVERY_S:
            return
        self._spoke = self._clock()
        self._say(str(self.seen))

    @property
    def seen(self) -> Progress:
        """Return how far it is."""
        layers = self._layers.values()
        done = sum(layer[2] for layer in layers)
        return Progress(
            done,
            sum(layer[0] for layer in layers),
            done - sum(layer[1] for layer in layers),
            self._clock() - self._began,
        )
