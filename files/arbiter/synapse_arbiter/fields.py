"""Read typed values out of a mapping a person wrote, collecting every fault as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import inf
from typing import Any


class Fields:
    """One mapping of the configuration; a getter notes its fault and goes on with the default."""

    def __init__(self, where: str, source: object, faults: list[str]) -> None:
        """Read one mapping; what is no mapping is a fault too."""
        self.where = where
        self.faults = faults
        self._asked: list[str] = []
        self._source: Mapping[str, Any] = {}
        if isinstance(source, Mapping):
            self._source = source
        elif source is not None:
            faults.append(f"{where} must be a mapping of names to values.")

    def fault(self, key: str, sentence: str) -> None:
        """Note what is wrong with one key."""
        self.faults.append(f"{self.where}: {key} {sentence}")

    def has(self, key: str) -> bool:
        """Say whether the key is there with a value."""
        return self._source.get(key) is not None

    def raw(self, key: str) -> Any:
        """Return the value as written, None when absent."""
        self._asked.append(key)
        return self._source.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a non-empty text; without a default the key is required."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.fault(key, "is missing.")
            return default or ""
        if not isinstance(value, str) or not value:
            self.fault(key, f"must be a non-empty text, not {value!r}.")
            return default or ""
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None when the key is absent."""
        return self.text(key) if self.has(key) else self.raw(key)

    def choice(self, key: str, options: tuple[str, ...], default: str) -> str:
        """Return one of the options."""
        value = self.text(key, default)
        if value not in options:
            self.fault(key, f"must be one of {', '.join(options)}, not {value!r}.")
        return value

    def number(self, key: str, default: float | None = None, above: float = 0) -> float:
        """Return a number of at least `above`; without a default the key is required."""
        value = self.raw(key)
        if value is None:
            if default is None:
                self.fault(key, "is missing.")
            return default or above
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and above <= value < inf):
            self.fault(key, f"must be a number of at least {above:g}, not {value!r}.")
            return default if default is not None else above
        return float(value)

    def optional_number(self, key: str, above: float = 0) -> float | None:
        """Return a number, or None when the key is absent."""
        return self.number(key, above=above) if self.has(key) else self.raw(key)

    def whole(self, key: str, default: int, above: int = 0) -> int:
        """Return a whole number of at least `above`."""
        value = self.number(key, default, above)
        if value != int(value):
            self.fault(key, f"must be a whole number, not {value!r}.")
        return int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when the key is absent."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, "must be a list of texts.")
            return ()
        return tuple(value)

    def section(self, key: str) -> Fields:
        """Return the mapping below one key, empty when absent."""
        return Fields(f"{self.where}.{key}", self.raw(key), self.faults)

    def sections(self, key: str) -> Iterator[Fields]:
        """Yield each mapping of a list, named after its own name where it has one."""
        value = self.raw(key)
        if value is not None and not isinstance(value, list):
            self.fault(key, "must be a list.")
            return
        for index, item in enumerate(value or []):
            name = item.get("name") if isinstance(item, Mapping) else None
            label = name if isinstance(name, str) else str(index)
            yield Fields(f"{self.where}.{key}[{label}]", item, self.faults)

    def finish(self) -> None:
        """Note every key nobody asked for, with the nearest known name."""
        for key in self._source:
            if key not in self._asked:
                near = get_close_matches(str(key), self._asked, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                self.faults.append(f"{self.where}: {key} is not a known key.{hint}")
