"""What a model declares at one place of the data: the type without its wrappings, and its notes."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Declared:
    """One type, stripped of None and Annotated, with everything that was annotated to it."""

    type: Any
    notes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any, notes: Iterable[Any] = ()) -> Declared:
        """Strip one annotation; of a union with None only the rest is kept."""
        kept = list(notes)
        while True:
            members = _members(annotation)
            if get_origin(annotation) is Annotated:
                annotation, *more = get_args(annotation)
                kept += _unfolded(more)
            elif len(members) == 1:
                annotation = members[0]
            else:
                return cls(annotation, tuple(kept))

    @property
    def members(self) -> tuple[Declared, ...]:
        """Return the members of a union, or nothing."""
        return tuple(Declared.of(member) for member in _members(self.type))

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """Return the models that may stand here: one, or those of a union."""
        found = [one.type for one in self.members or (self,)]
        return tuple(one for one in found if isinstance(one, type) and issubclass(one, BaseModel))

    @property
    def choices(self) -> tuple[Any, ...]:
        """Return the values that are allowed, if they are counted out."""
        literals = [one.type for one in self.members or (self,) if get_origin(one.type) is Literal]
        return tuple(value for literal in literals for value in get_args(literal))

    @property
    def holds_many(self) -> bool:
        """Tell whether it is a list or a mapping with keys of the author's own."""
        return get_origin(self.type) in (list, tuple, dict)

    @property
    def discriminator(self) -> str:
        """Return the key that decides among a union's models; empty: none does."""
        notes = [note for note in self.notes if isinstance(note, FieldInfo | Discriminator)]
        return next((str(note.discriminator) for note in notes if note.discriminator), "")

    @property
    def tags(self) -> tuple[Any, ...]:
        """Return what the discriminator may be."""
        models = self.models if self.discriminator else ()
        return tuple(tag for one in models for tag in fields(one)[self.discriminator].choices)

    @property
    def hint(self) -> str:
        """Return what its author says to write: `json_schema_extra={"hint": ...}`."""
        notes = [note for one in (self, *self.members) for note in one.notes]
        extras = [note.json_schema_extra for note in notes if isinstance(note, FieldInfo)]
        hints = [str(extra.get("hint", "")) for extra in extras if isinstance(extra, dict)]
        return next(filter(None, hints), "")

    @property
    def keys(self) -> Declared:
        """Return what the keys of a mapping must be."""
        return Declared.of(get_args(self.type)[0]) if get_origin(self.type) is dict else self

    @property
    def keys_known(self) -> tuple[str, ...]:
        """Return the keys that one may write here."""
        return tuple(dict.fromkeys(key for model in self.models for key in fields(model)))

    def branch(self, tag: object) -> Declared:
        """Return the member of a union that pydantic calls by this tag."""
        key = self.discriminator
        for model in self.models:
            if tag in fields(model)[key].choices if key else model.__name__ == tag:
                return Declared(model)
        return Declared(None)

    def below(self, step: str | int) -> Declared:
        """Return what is declared below one key or number; the type None: nothing."""
        inner = get_args(self.type)
        if self.models:
            known = [fields(model) for model in self.models]
            return next((one[str(step)] for one in known if step in one), Declared(None))
        if self.holds_many and inner:
            return Declared.of(inner[1 if get_origin(self.type) is dict else 0])
        return Declared(None)


def fields(model: type[BaseModel]) -> dict[str, Declared]:
    """Return what a model declares, by the keys that a person writes."""
    return {
        info.alias or name: Declared.of(info.annotation, [info, *info.metadata])
        for name, info in model.model_fields.items()
    }


def _unfolded(notes: Iterable[Any]) -> Iterator[Any]:
    for note in notes:
        yield note
        if isinstance(note, FieldInfo):
            yield from note.metadata


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) not in (Union, types.UnionType):
        return ()
    return tuple(one for one in get_args(annotation) if one is not type(None))
