"""Reads a request's fields one by one: a wrong one is refused by its name, none gets lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from synapse_common.refusals import Refusal
from synapse_gateway import errors


def unsupported(param: str, why: str) -> Refusal:
    """Make the refusal of a field that the model's engine cannot follow."""
    message = f"'{param}' cannot be followed by this model: {why}"
    return Refusal(400, "unsupported_parameter", message, param=param)


class Asked:
    """The fields that a client sent; each is taken once, `null` counts as not sent."""

    def __init__(self, given: Mapping[str, Any], within: str = "") -> None:
        """Begin with all fields; `within` names what they are part of, for the refusals."""
        self._left = {key: value for key, value in given.items() if value is not None}
        self._prefix = f"{within}." if within else ""

    def path(self, name: str) -> str:
        """Return the field's name as the client finds it in its request."""
        return self._prefix + name

    def take(self, name: str) -> Any:
        """Return whatever was sent; None for nothing."""
        return self._left.pop(name, None)

    def wrong(self, name: str, must: str) -> Refusal:
        """Make the refusal of a value that no engine takes."""
        return errors.malformed(f"'{self.path(name)}' must be {must}.", self.path(name))

    def number(self, name: str, least: float = -inf, most: float = inf) -> float | None:
        """Return a number within the limits."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, "a number")
        if not least <= value <= most:
            raise self.wrong(name, _range("a number", least, most))
        return value

    def integer(self, name: str, least: float = -inf, most: float = inf) -> int | None:
        """Return a whole number within the limits."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(name, _range("an integer", least, most))
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def text(self, name: str) -> str | None:
        """Return a text."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def mapping(self, name: str) -> dict[str, Any] | None:
        """Return an object."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return value

    def objects(self, name: str) -> list[dict[str, Any]] | None:
        """Return a list of objects."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.wrong(name, "a list of objects")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts; one text alone counts as a list of it."""
        value = self.take(name)
        if value is None:
            return None
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self.wrong(name, "a text or a list of texts")
        return found

    def only(self, name: str, neutral: Iterable[Any], why: str) -> None:
        """Refuse the field unless its value says what happens without it."""
        value = self.take(name)
        if value is not None and not any(_same(value, one) for one in neutral):
            raise unsupported(self.path(name), why)

    def left(self) -> tuple[str, ...]:
        """Return the names of the fields that nobody took, as the client finds them."""
        return tuple(self.path(name) for name in self._left)


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _range(what: str, least: float, most: float) -> str:
    if most == inf:
        return what if least == -inf else f"{what} of at least {least:g}"
    return f"{what} from {least:g} to {most:g}"
