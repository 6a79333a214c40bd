"""Which names an application may ask for: those of its entry, and those that they open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

EVERYTHING = "*"


def reached(
    named: Collection[str],
    fallbacks: Mapping[str, Iterable[str]],
    aliases: Mapping[str, str],
    fixed: Collection[str],
) -> frozenset[str]:
    """Return every name that may be asked for, of models with their fallbacks and of aliases.

    An alias opens the model behind it, and a model its fallbacks, but an alias with something
    fixed opens nothing: who could ask the model itself would not be held to it. So such a model is
    no other one's fallback either that may be asked for by its own name, unless the entry names it,
    or an alias of it that fixes nothing.
    """
    if EVERYTHING in named:
        return frozenset([*fallbacks, *aliases])
    behind = {aliases[name] for name in named if name in aliases and name not in fixed}
    held = {aliases[name] for name in named if name in aliases and name in fixed}
    held -= behind.union(named)
    found: set[str] = set()
    waiting = [*named, *behind]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in held:
            found.add(name)
            waiting += fallbacks.get(name, ())
    return frozenset(found)
