"""The worst shapes that were found: a few words each, in a file, written out when they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from abuse.forms import FormShape
from abuse.heads import HeadShape
from abuse.shapes import Shape

WORST = Path(__file__).parent / "worst.json"
AnyShape = Shape | FormShape | HeadShape
KINDS: dict[str, type[AnyShape]] = {"body": Shape, "form": FormShape, "head": HeadShape}


def load(path: Path = WORST) -> list[AnyShape]:
    """Return the shapes of a file."""
    return [_shape(told) for told in json.loads(path.read_text())]


def save(shapes: Iterable[AnyShape], path: Path = WORST) -> None:
    """Write shapes, one a line, in a fixed order."""
    lines = sorted({json.dumps(_told(shape)) for shape in shapes})
    path.write_text("[\n  " + ",\n  ".join(lines) + "\n]\n")


def _told(shape: AnyShape) -> dict[str, Any]:
    kind = next(name for name, made in KINDS.items() if isinstance(shape, made))
    usual = type(shape)(*_needed(shape))
    fields = {key: value for key, value in asdict(shape).items() if value != getattr(usual, key)}
    needed = dict(zip(asdict(shape), _needed(shape), strict=False))
    return {"kind": kind} | needed | fields


def _needed(shape: AnyShape) -> list[Any]:
    """Return the values of the fields that have no usual one."""
    count = 4 if isinstance(shape, Shape) else 2
    return list(asdict(shape).values())[:count]


def _shape(told: dict[str, Any]) -> AnyShape:
    fields = dict(told)
    return KINDS[fields.pop("kind")](**fields)
