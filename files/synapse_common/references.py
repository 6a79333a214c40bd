"""What holds between entries: names stand once in their list, and who is named exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from synapse_common.faults import Fault
from synapse_common.place import Place
from synapse_common.words import suggest

VOWELS = tuple("aeiou")


@dataclass(frozen=True)
class Refers:
    """Annotated to a text: it is the name of an entry in one of these lists of the whole."""

    to: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Words that may stand there as well."""


def references(model: type[BaseModel], data: object) -> Iterator[Fault]:
    """Yield every name that stands twice in its list, and every name of nothing that is there."""
    whole = Place.at((), model, data)
    for place in _places(whole):
        yield from _twice(place)
        for note in place.declared.notes:
            if isinstance(note, Refers) and isinstance(place.value, str) and place.value:
                yield from _unknown(place, note, whole)


def _places(place: Place) -> Iterator[Place]:
    yield place
    value, steps = place.value, list[str | int]()
    if isinstance(value, Mapping) and place.declared.models:
        steps = [key for key in value if key in place.chosen.keys_known]
    elif isinstance(value, Mapping) and place.declared.holds_many:
        steps = list(value)
    elif isinstance(value, list | tuple) and place.declared.holds_many:
        steps = list(range(len(value)))
    for step in steps:
        yield from _places(place.inner((step,)))


def _twice(place: Place) -> Iterator[Fault]:
    if not (isinstance(place.value, list | tuple) and place.declared.holds_many):
        return
    inner = [place.inner((number,)) for number in range(len(place.value))]
    named = [one for one in inner if "name" in one.declared.keys_known and _is_named(one.value)]
    counted = Counter(one.value["name"] for one in named)
    for one in reversed(named):
        times = counted.pop(one.value["name"], 1)  # told once, at the last
        if times > 1:
            yield Fault(one.path, one.about(f"is listed {times} times; keep one"))


def _unknown(place: Place, note: Refers, whole: Place) -> Iterator[Fault]:
    names = {name for key in note.to for name in _names(whole.inner((key,)).value)}
    if place.value in names or place.value in note.also:
        return
    kinds = [_kind(whole, key) for key in note.to]
    is_none = f"is no {kinds[0]}"
    if len(kinds) > 1:
        listed = [f"an {kind}" if kind.startswith(VOWELS) else f"a {kind}" for kind in kinds]
        is_none = f"is neither {' nor '.join(listed)}"
    text = f'"{place.value}" {is_none}{suggest(place.value, sorted(names))}'
    yield Fault(place.path, place.sentence(text))


def _kind(whole: Place, key: str) -> str:
    """Return what an entry of a list is called."""
    (model, *_) = whole.declared.below(key).below(0).models
    return str(getattr(model, "what", "")) or key


def _names(entries: object) -> Iterable[str]:
    if isinstance(entries, Mapping):
        return [str(key) for key in entries]
    known = entries if isinstance(entries, list | tuple) else ()
    return [entry["name"] for entry in known if _is_named(entry)]


def _is_named(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
