"""The requests that wait for one model: a line for each priority, interactive first.

Interactive requests go first, and yet batch never starves: while both wait, every fourth
admission is the first of the batch line. All operations are O(1), cancelling included, but for
what looks ahead.
"""

from enum import StrEnum
from typing import Generic

from synapse_arbiter.policy.line import NOBODY, Asker, Line, T


class Priority(StrEnum):
    """How urgent an application's requests are."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


WEIGHT = {Priority.INTERACTIVE: 4.0, Priority.BATCH: 1.0}
INTERACTIVE_IN_A_ROW = 3


class Queue(Generic[T]):
    """One model's waiting requests and the sums that the policy reads."""

    __slots__ = ("_batch", "_interactive", "_row", "_weight", "_weighted_s")

    def __init__(self) -> None:
        """Start empty."""
        self._interactive: Line[T] = Line()
        self._batch: Line[T] = Line()
        self._row = 0  # interactive admissions since batch began to wait or was last served
        self._weight = 0.0
        self._weighted_s = 0.0  # sum of weight x arrival, so that ageing costs nothing

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._interactive) + len(self._batch)

    @property
    def interactive(self) -> int:
        """Return how many interactive requests wait."""
        return len(self._interactive)

    @property
    def oldest_s(self) -> float:
        """Return the arrival of the request that waits longest, infinity when none waits."""
        return min(self._interactive.oldest_s, self._batch.oldest_s)

    def backlog(self, now_s: float) -> float:
        """Return the aged backlog: weight x (1 + seconds waited), summed over the requests."""
        return self._weight * (1.0 + now_s) - self._weighted_s

    def push(self, item: T, priority: Priority, now_s: float, asker: Asker = NOBODY) -> None:
        """Add a request to the line of its priority."""
        self._of(priority).push(item, asker, now_s)
        self._count(priority, now_s, 1.0)

    def pop(self) -> T:
        """Remove and return the request whose turn it is; KeyError when none waits."""
        batch_is_due = self._row >= INTERACTIVE_IN_A_ROW or not self._interactive
        priority = Priority.BATCH if self._batch and batch_is_due else Priority.INTERACTIVE
        item, arrived_s = self._of(priority).pop()
        self._row = self._row + 1 if self._batch and priority is Priority.INTERACTIVE else 0
        self._count(priority, arrived_s, -1.0)
        return item

    def remove(self, item: T, priority: Priority) -> bool:
        """Forget a request whose client left; False when it does not wait here."""
        arrived_s = self._of(priority).remove(item)
        if arrived_s is None:
            return False
        self._count(priority, arrived_s, -1.0)
        return True

    def place(self, item: T, priority: Priority) -> int:
        """Return which one of those that wait it is, from 1, as if no more came; 0: none of them.

        Looks at every request before it.
        """
        place = self._of(priority).place(item)
        return place + len(self._interactive) if place and priority is Priority.BATCH else place

    def ahead(self, priority: Priority, asker: Asker) -> int:
        """Estimate how many would be let in before a request that came now, if no more came."""
        before = self._of(priority).before_newcomer(asker)
        if priority is Priority.BATCH:
            return before + len(self._interactive)
        return before + min(len(self._batch), before // INTERACTIVE_IN_A_ROW)

    def _of(self, priority: Priority) -> Line[T]:
        return self._interactive if priority is Priority.INTERACTIVE else self._batch

    def _count(self, priority: Priority, arrived_s: float, sign: float) -> None:
        if not self._interactive and not self._batch:
            self._weight = self._weighted_s = 0.0  # an empty queue forgets rounding errors too
            return
        weight = sign * WEIGHT[priority]
        self._weight += weight
        self._weighted_s += weight * arrived_s
