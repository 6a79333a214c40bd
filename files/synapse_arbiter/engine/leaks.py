"""Whether an engine leaves more of the GPU behind with every sleep, or somebody else uses it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

CYCLES = 3  # wakes and sleeps before anything is concluded
LEAST_GIB = 0.02  # a cycle; less is how the gauge rounds
KEPT = 100  # cycles that are remembered


@dataclass(slots=True)
class LeakWatch:
    """What the GPU held before one engine woke and after it slept again, everybody else asleep.

    A desktop or a transcoder beside the engines goes up and down, or comes once and stays. A leak
    is what rises in most of this engine's own cycles and lifts the level for good; so the rise is
    the smaller of the two that both would show, and none at all where most cycles show none.
    """

    _first_gib: float | None = None
    _rises_gib: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    _levels_gib: deque[float] = field(default_factory=lambda: deque(maxlen=CYCLES))

    def add(self, before_gib: float, after_gib: float) -> None:
        """Take note of one cycle."""
        if self._first_gib is None:
            self._first_gib = before_gib
        self._rises_gib.append(after_gib - before_gib)
        self._levels_gib.append(after_gib)

    @property
    def leaked_gib(self) -> float:
        """Return how much the engine seems to have leaked since its process started."""
        if self._first_gib is None or len(self._rises_gib) < CYCLES:
            return 0.0
        if median(self._rises_gib) < LEAST_GIB:
            return 0.0
        return max(0.0, min(sum(self._rises_gib), median(self._levels_gib) - self._first_gib))
