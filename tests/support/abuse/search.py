"""Looks for the worst shapes: tries each kind small, then makes the worst of them worse."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from abuse import forms, heads, shapes
from abuse.cases import AnyShape
from abuse.forms import FormShape
from abuse.heads import HeadShape
from abuse.measuring import Cost
from abuse.shapes import Shape

MIB = 1024**2
FIRST_BYTES = MIB // 2
CLIMBED = 20
"""Kinds that are made worse."""
ALIKE = 2
"""Of them, so many at most with the same filling, and so many in the same field."""
MUTATIONS = 3
"""Tries for each of them, after the largest."""
DEPTHS = (1, 2, 10, 100, 1000)
PIECES = (0, 0, 1, 7, 4096)
Measure = Callable[[AnyShape], Cost]


@dataclass(frozen=True)
class Found:
    """One shape and what it cost."""

    shape: AnyShape
    cost: Cost


@dataclass
class Search:
    """A search that ends after so many tries, or after its time; the seed says which are tried."""

    measure: Measure
    limits: dict[type[Any], int]
    """The most bytes of a shape of each type."""
    seed: int = 1
    first: int = 200
    """Kinds that are tried."""
    limit_s: float = 300.0

    def run(self) -> list[Found]:
        """Return everything that was tried, the worst first."""
        chance = random.Random(self.seed)
        self._until_s = time.monotonic() + self.limit_s
        kinds = every_kind(FIRST_BYTES, self.limits)
        chance.shuffle(kinds)
        found = self._tried(kinds[: self.first])
        found += self._tried([_largest(one, self.limits) for one in forms.every_kind(1)])
        for worst in _unlike(found):
            at = worst
            for number in range(MUTATIONS + 1):
                shape = at.shape if number else _largest(at.shape, self.limits)
                tried = self._tried([mutated(shape, self.limits, chance) if number else shape])
                found += tried
                at = max([at, *tried], key=lambda one: one.cost.score)
        return sorted(found, key=lambda one: -one.cost.score)

    def _tried(self, some: list[AnyShape]) -> list[Found]:
        return [
            Found(shape, self.measure(shape)) for shape in some if time.monotonic() < self._until_s
        ]


def every_kind(size: int, limits: dict[type[Any], int]) -> list[AnyShape]:
    """Return each kind of shape once, of this size or of the most that its type may have."""
    kinds: list[AnyShape] = [
        *shapes.every_kind(size),
        *forms.every_kind(size),
        *heads.every_kind(limits[HeadShape]),
    ]
    return kinds


def mutated(shape: AnyShape, limits: dict[type[Any], int], chance: random.Random) -> AnyShape:
    """Return another shape of the same kind: larger or smaller, deeper, in other pieces, packed."""
    most = limits[type(shape)]
    size = min(most, max(16, int(shape.size * chance.choice((0.5, 2, 4, 16, 64)))))
    if isinstance(shape, HeadShape):
        return replace(shape, size=size)
    piece = chance.choice(PIECES)
    if piece and size > MIB:
        piece = 4096  # smaller ones would be more bytes than anybody waits for here
    if isinstance(shape, FormShape):
        return replace(shape, size=size, piece=piece)
    packed = chance.random() < 0.2
    depth = chance.choice(DEPTHS)
    return replace(shape, size=size, depth=depth, piece=piece, packed=packed)


def worst_of(found: list[Found], number: int) -> list[AnyShape]:
    """Return the worst shapes, one of each kind, by each of what they cost."""
    costs: tuple[Callable[[Cost], float], ...] = (
        lambda cost: cost.longest_work_s,
        lambda cost: cost.cpu_s,
        lambda cost: cost.memory_mib,
    )
    kept: list[AnyShape] = []
    for cost in costs:
        ordered = sorted(found, key=lambda one: -cost(one.cost))
        kinds = dict.fromkeys(one.shape.kind for one in ordered)
        for kind in list(kinds)[:number]:
            kept.append(next(one.shape for one in ordered if one.shape.kind == kind))
    return list(dict.fromkeys(kept))


def _largest(shape: AnyShape, limits: dict[type[Any], int]) -> AnyShape:
    return shape if getattr(shape, "charset", "") else replace(shape, size=limits[type(shape)])


def _unlike(found: list[Found]) -> list[Found]:
    """Return the worst, of which few have the same filling or field."""
    kept: list[Found] = []
    seen: Counter[tuple[Any, ...]] = Counter()
    for one in sorted(found, key=lambda one: -one.cost.score):
        field = getattr(one.shape, "path", ""), getattr(one.shape, "where", "")
        alike = [(type(one.shape), one.shape.what), field]
        if all(seen[each] < ALIKE for each in alike) and len(kept) < CLIMBED:
            seen.update(alike)
            kept.append(one)
    return kept


def limits_of(json_mib: int, audio_mib: int) -> dict[type[Any], int]:
    """Return the most bytes of each type that the gateway's limits allow."""
    room = 4096
    return {
        Shape: json_mib * MIB - room,
        FormShape: audio_mib * MIB - room,
        HeadShape: 7000,
    }
