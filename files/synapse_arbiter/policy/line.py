"""The requests of one priority that wait for one model: applications by arrival, people in turn.

Every request that arrives adds a place at the end, which belongs to its application. When a place
comes up, it is taken by the person of that application whose turn is longest ago; a person who
was not waiting comes after those who are. The request whose own place was taken holds the place
of the one that took it. So other applications see an order of arrival, whatever the people of one
do, and a request that names no person counts as one of the same, nameless person.

Adding, taking and forgetting are O(1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import islice, takewhile
from math import inf
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)


class Asker(NamedTuple):
    """Whose a request is."""

    app: str = ""
    person: str = ""


NOBODY = Asker()


@dataclass(slots=True)
class _Waiting(Generic[T]):
    """One request: since when it waits, whose it is, and which place it holds."""

    item: T
    since_s: float
    asker: Asker
    place: int


@dataclass(slots=True)
class _App(Generic[T]):
    """The people of one application, whose turn it is first, and the requests of each."""

    people: OrderedDict[str, OrderedDict[T, None]] = field(default_factory=OrderedDict)
    waiting: int = 0

    def turn_of(self, person: str, rounds: int) -> int:
        """Say how many go before what a person asked after so many others, counted from 0."""
        earlier = takewhile(lambda other: other != person, self.people)
        rounds_before = sum(min(len(theirs), rounds) for theirs in self.people.values())
        return rounds_before + sum(len(self.people[other]) > rounds for other in earlier)


class Line(Generic[T]):
    """Who waits, in two orders: of their arrival, and of the places that they hold."""

    __slots__ = ("_apps", "_arrivals", "_places", "_waiting")

    def __init__(self) -> None:
        """Start empty."""
        self._arrivals = 0
        self._waiting: OrderedDict[T, _Waiting[T]] = OrderedDict()
        self._places: OrderedDict[int, _Waiting[T]] = OrderedDict()
        self._apps: dict[str, _App[T]] = {}

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def oldest_s(self) -> float:
        """Return the arrival of the request that waits longest, infinity when none waits."""
        return next(iter(self._waiting.values())).since_s if self._waiting else inf

    def push(self, item: T, asker: Asker, now_s: float) -> None:
        """Add a request, and a place at the end."""
        self._arrivals += 1
        waiting = _Waiting(item, now_s, asker, self._arrivals)
        self._waiting[item] = self._places[self._arrivals] = waiting
        app = self._apps.setdefault(asker.app, _App())
        app.people.setdefault(asker.person, OrderedDict())[item] = None
        app.waiting += 1

    def pop(self) -> tuple[T, float]:
        """Remove the request that takes the first place; return it and its arrival.

        Raise KeyError when none waits.
        """
        _, holder = self._places.popitem(last=False)
        people = self._apps[holder.asker.app].people
        person, theirs = next(iter(people.items()))
        people.move_to_end(person)
        taken = self._forget(next(iter(theirs)))
        if taken is not holder:
            self._places[taken.place] = holder
            holder.place = taken.place
        return taken.item, taken.since_s

    def remove(self, item: T) -> float | None:
        """Forget a request and the place it holds; return its arrival, None if it is not here."""
        if item not in self._waiting:
            return None
        gone = self._forget(item)
        del self._places[gone.place]
        return gone.since_s

    def place(self, item: T) -> int:
        """Return which one of this line it is, from 1, as if no more came; 0: none of them.

        Looks at every request before it.
        """
        found = self._waiting.get(item)
        if found is None:
            return 0
        app = self._apps[found.asker.app]
        rounds = list(app.people[found.asker.person]).index(item)
        return self._index(found.asker.app, app.turn_of(found.asker.person, rounds)) + 1

    def before_newcomer(self, asker: Asker) -> int:
        """Return how many would be let in before a request that came now, as if no more came.

        Looks at them only where its person would go before others of the application.
        """
        app = self._apps.get(asker.app)
        if app is None:
            return len(self)
        theirs = app.people.get(asker.person)
        turn = len(app.people) if theirs is None else app.turn_of(asker.person, len(theirs))
        return self._index(asker.app, turn)

    def _index(self, name: str, turn: int) -> int:
        """Say how many places come before this one of an application's, counted from 0."""
        if turn == self._apps[name].waiting:
            return len(self)
        if len(self._apps) == 1:
            return turn
        numbers = (
            number
            for number, holder in enumerate(self._places.values())
            if holder.asker.app == name
        )
        return next(islice(numbers, turn, None))

    def _forget(self, item: T) -> _Waiting[T]:
        gone = self._waiting.pop(item)
        app = self._apps[gone.asker.app]
        theirs = app.people[gone.asker.person]
        del theirs[item]
        if not theirs:
            del app.people[gone.asker.person]
        app.waiting -= 1
        if not app.waiting:
            del self._apps[gone.asker.app]
        return gone
