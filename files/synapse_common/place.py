"""A place in the data of a configuration: what is declared there, what stands there, its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from synapse_common.declared import Declared

Path = tuple[str | int, ...]

KEY = "[key]"
"""What pydantic writes behind the key of a mapping, if it is the key that is wrong."""


@dataclass(frozen=True)
class Place:
    """One place, with the places above it."""

    declared: Declared
    value: Any
    step: str | int = ""
    parent: Place | None = None

    @classmethod
    def at(cls, path: Path, model: type[BaseModel], data: object) -> Place:
        """Return the place that a path leads to."""
        return cls(Declared(model), data).inner(path)

    def inner(self, path: Path) -> Place:
        """Return the place that a path leads to from here."""
        place = self
        for step in path:
            place = Place(place.chosen.below(step), _below(place.value, step), step, place)
        return place

    @property
    def above(self) -> Place:
        """Return the place that this one is in; the whole is in itself."""
        return self.parent or self

    @property
    def path(self) -> Path:
        """Return the keys and numbers that lead here."""
        return (*self.parent.path, self.step) if self.parent else ()

    @property
    def tag(self) -> str | None:
        """Return what the data says which member of a union it is, if there is such a one."""
        name = self.declared.discriminator
        said = self.value.get(name) if name and isinstance(self.value, Mapping) else None
        return said if isinstance(said, str) and said in self.declared.tags else None

    @property
    def chosen(self) -> Declared:
        """Return what is declared here, of a union the member that the data says it is."""
        return self.declared if self.tag is None else self.declared.branch(self.tag)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the way here: entries by their own names, keys as they are written."""
        if self.parent is None:
            return ()
        inside = self.parent.declared
        if not inside.holds_many:
            return (*self.parent.names, str(self.step))
        what = next((getattr(model, "what", "") for model in self.declared.models), "")
        if what:
            return (*self.parent.names[:-1], f"{what} {self._own_name()}")
        name = f"entry {self.step + 1}" if isinstance(self.step, int) else f'"{self.step}"'
        return (*self.parent.names, name)

    def about(self, text: str) -> str:
        """Return a sentence about what is in here: `model small: the key "source" is missing`."""
        return ": ".join([*self.names, text])

    def sentence(self, text: str) -> str:
        """Return a sentence about this value, the text going on after its name."""
        if not self.names and not isinstance(self.value, Mapping):
            return f"the configuration {text}"
        if not self.names or (self.declared.models and isinstance(self.value, Mapping)):
            return self.about(text)
        if isinstance(self.step, int) and text.startswith('"'):  # it says itself which one
            return self.above.about(text)
        return f"{': '.join(self.names)} {text}"

    def _own_name(self) -> str:
        if isinstance(self.step, str):
            return self.step
        name = self.value.get("name") if isinstance(self.value, Mapping) else None
        return name if isinstance(name, str) and name else f"number {self.step + 1}"


def path_of(declared: Declared, location: Sequence[str | int]) -> Path:
    """Take the tags of unions out of a location of pydantic's: they are not in the data."""
    path: list[str | int] = []
    for step in location:
        if declared.members and step != KEY:
            declared = declared.branch(step)
        else:
            declared = declared.below(step)
            path.append(step)
    return tuple(path)


def _below(value: object, step: str | int) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
