"""The configuration file: YAML or JSON, read once, every fault of it named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synapse_arbiter.settings import Settings
from synapse_common import reading
from synapse_common.place import Path as Place

ConfigError = reading.ConfigError


def load(path: Path) -> Settings:
    """Read and check one file, or raise ConfigError naming every fault in it."""
    return parse(reading.load(path))


def parse(source: object) -> Settings:
    """Check a mapping and freeze it, or raise ConfigError naming every fault in it."""
    return reading.read(Settings, source, _fits)


def _fits(source: Any) -> Iterator[tuple[Place, str]]:
    """Yield every model that the card is too small for."""
    card = source.get("card") if isinstance(source, Mapping) else None
    has_gib = _gib(card)
    for _, place, model in reading.named(source, "models"):
        needs_gib = _gib(model)
        if has_gib is not None and needs_gib is not None and needs_gib > has_gib:
            yield place, f"needs {needs_gib:g} GiB, but the card has {has_gib:g} GiB"


def _gib(entry: object) -> float | None:
    value = entry.get("vram_gib") if isinstance(entry, Mapping) else None
    return value if isinstance(value, int | float) else None
