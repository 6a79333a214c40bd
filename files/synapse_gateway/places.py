"""Requests at the same time: of everybody, of one application, and of it at one model.

An engine that hangs keeps the places of its own models, and no others.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from synapse_gateway import errors

RETRY_S = 1
"""A place becomes free whenever any answer ends."""


class Room:
    """The places of the whole gateway, of which one application may take a part."""

    def __init__(self, most: int, most_of_app: int) -> None:
        """Begin with every place free."""
        self.most = most
        self.most_of_app = most_of_app
        self.taken = 0


class Places:
    """The places of one application: each request has one of everybody's and one at its model."""

    def __init__(self, room: Room, most_at_model: int) -> None:
        """Begin with every place free."""
        self._room = room
        self._most_at_model = most_at_model
        self._at_model: Counter[str] = Counter()
        self.taken = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place for a request, whatever it asks for; refuse it where there is none."""
        room = self._room
        if self.taken >= room.most_of_app:
            raise errors.over_limit(f"{room.most_of_app} requests at once", RETRY_S)
        if room.taken >= room.most:
            raise errors.overloaded(room.most)
        self.taken += 1
        room.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            room.taken -= 1

    def is_full(self, model: str) -> bool:
        """Say whether every place at this model is taken."""
        return self._at_model[model] >= self._most_at_model

    @contextlib.contextmanager
    def at(self, model: str) -> Iterator[None]:
        """Hold a place at a model while it is asked; refuse the request where there is none."""
        if self.is_full(model):
            what = f"{self._most_at_model} requests at once to one model"
            raise errors.over_limit(what, RETRY_S)
        self._at_model[model] += 1
        try:
            yield
        finally:
            self._at_model[model] -= 1
