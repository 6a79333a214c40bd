"""The memory for what is in flight: bodies while they are asked for, answers read as a whole."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

MIB = 1024**2
OWN_MIB = 96
"""What a process takes before the first request, and for connections."""
SMALL = 2 * MIB
"""What a usual chat takes, with all its copies, is below this."""


def room(memory_mib: int) -> int:
    """Return the bytes for what is in flight in a pod of so much memory.

    A quarter is left to what nobody counts: what a parser takes while it works, fragments.
    """
    return (memory_mib * 3 // 4 - OWN_MIB) * MIB


class Budget:
    """Bytes in flight; who finds no room is refused at once, nobody waits.

    An eighth is for small requests alone, and one application gets half while it has more than one
    in flight.
    """

    def __init__(self, total: int, full: Callable[[], Exception]) -> None:
        """Begin with nothing held of so many bytes; `full` makes the refusal."""
        self.total = total
        self._full = full
        self._for_large = self.total * 7 // 8
        self._for_one = self.total // 2
        self._apps: Counter[str] = Counter()
        self.used = 0

    @contextlib.contextmanager
    def held_by(self, app: str, size: int = 0) -> Iterator[Held]:
        """Hold what one request takes, so many bytes at first, until the block ends."""
        held = Held(self, app)
        held.reach(size)
        try:
            yield held
        finally:
            held.keep(0)

    def change(self, app: str, holds: int, more: int) -> None:
        """Give more bytes to a request that holds some, or take some back.

        Raises what `full` makes where there is no room.
        """
        if more > 0:
            room = self.total if holds + more <= SMALL else self._for_large
            others = self._apps[app] - holds
            if self.used + more > room or (others and others + holds + more > self._for_one):
                raise self._full()
        self.used += more
        self._apps[app] += more
        if not self._apps[app]:
            del self._apps[app]


class Held:
    """What one request holds of it."""

    def __init__(self, budget: Budget, app: str) -> None:
        """Begin with nothing."""
        self._budget = budget
        self.app = app
        """Who holds it."""
        self.size = 0

    def reach(self, size: int) -> None:
        """Hold so many bytes at least, or raise the refusal."""
        if size > self.size:
            self.add(size - self.size)

    def add(self, size: int) -> None:
        """Hold so many bytes more, or raise the refusal."""
        self._budget.change(self.app, self.size, size)
        self.size += size

    def keep(self, size: int) -> None:
        """Hold so many bytes at most."""
        if size < self.size:
            self.add(size - self.size)
