"""One way to say what is wrong with a configuration: every fault at once, each one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from synapse_common import words
from synapse_common.declared import Declared, fields
from synapse_common.place import KEY, Path, Place, path_of

Error = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """One fault: where it is in the data, and the sentence about it."""

    path: Path
    text: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text


class SeveralError(ValueError):
    """What a validator raises that found more than one fault, each with its path from there."""

    def __init__(self, found: Iterable[tuple[Path, str]]) -> None:
        """Keep them; a text goes on where the name of its place ends: `must be a name`."""
        self.found = list(found)
        super().__init__("; ".join(text for _, text in self.found))


def faults(error: ValidationError, model: type[BaseModel], data: object) -> list[Fault]:
    """Return every fault that pydantic found in the data."""
    together: dict[Path, list[Error]] = {}
    for one in error.errors(include_url=False):
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # long enough, but for its wrong entries
        path = path_of(Declared(model), one["loc"])
        together.setdefault(path, []).append(dict(one))
    return [
        Fault(where, text)
        for path, errors in together.items()
        for where, text in _said(Place.at(path, model, data), errors)
    ]


def fault(path: Path, text: str, model: type[BaseModel], data: object) -> Fault:
    """Return a fault that a rule of one's own found; its text goes on after the place's name."""
    return Fault(path, Place.at(path, model, data).sentence(text))


def _said(place: Place, errors: list[Error]) -> Iterator[tuple[Path, str]]:
    first = errors[0]
    above = place.above
    if place.step == KEY:
        mapping = above.above
        text = _value(errors, mapping.declared.keys)
        known = text.startswith('"')
        yield above.path, mapping.about(text if known else f'the key "{above.step}" {text}')
    elif first["type"] == "missing":
        yield place.path, above.about(f'the key "{place.step}" is missing')
    elif first["type"] in ("extra_forbidden", "invalid_key"):
        yield place.path, above.about(_unknown(above, place.step))
    elif first["type"].startswith("union_tag"):
        yield from _no_member(place)
    elif isinstance(several := first.get("ctx", {}).get("error"), SeveralError):
        for path, text in several.found:
            inner = place.inner(path)
            yield inner.path, inner.sentence(text)
    else:
        yield place.path, place.sentence(_value(errors, place.declared))


def _value(errors: list[Error], declared: Declared) -> str:
    """Return what is wrong with a value; of a union, every member has its own error."""
    of_kind = [words.kind(error["type"]) for error in errors]
    choices = declared.choices
    for error, kind in zip(errors, of_kind, strict=True):
        if not kind and error["type"] != "literal_error":
            return words.predicate(error, declared.hint)
    value = errors[0]["input"]
    if not any(of_kind):
        return words.choice(value, choices)
    wanted = [kind for kind in dict.fromkeys(of_kind) if kind]
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    wanted += [f'"{one}"' for one in choices if one]
    return f"must be {words.either(wanted)}, not {words.shown(value)}"


def _unknown(place: Place, key: object) -> str:
    """Return that a key is not known, or that it is for another member of the union."""
    chosen, tag = place.chosen, place.tag
    others = [one for one in place.declared.tags if key in fields(place.declared.branch(one).type)]
    if tag is not None and others:
        name = place.declared.discriminator
        return f'{name} {tag} has no "{key}"; it is for {words.either(others)}'
    known = chosen.keys_known
    remedy = words.suggest(key, known) or f"; it may have {words.either(known)}"
    return f'unknown key "{key}"{remedy}'


def _no_member(place: Place) -> Iterator[tuple[Path, str]]:
    """Yield why no member of a union was chosen, and the keys that none of them knows."""
    value, name = place.value, place.declared.discriminator
    if not isinstance(value, Mapping):
        return
    if name in value:
        at = place.inner((name,))
        yield at.path, at.sentence(words.choice(value[name], place.declared.tags))
    else:
        yield (*place.path, name), place.about(f'the key "{name}" is missing')
    for key in value:
        if key not in place.declared.keys_known:
            yield (*place.path, key), place.about(_unknown(place, key))
