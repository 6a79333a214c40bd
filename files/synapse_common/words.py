"""The words of a fault: what must stand at a place, what stands there, what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LONGEST = 60
"""Characters of a wrong value that a sentence shows."""

KINDS = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no (true or false)",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}
LIMITS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda known: f"greater than {_number(known['gt'])}",
    "greater_than_equal": lambda known: f"at least {_number(known['ge'])}",
    "less_than": lambda known: f"less than {_number(known['lt'])}",
    "less_than_equal": lambda known: f"at most {_number(known['le'])}",
    "finite_number": lambda _: "a finite number",
}


def kind(error_type: str) -> str:
    """Return what must stand there, if it is the kind of the value that is wrong; else nothing."""
    name, *rest = error_type.split("_")
    wrong = rest in (["type"], ["parsing"], ["attributes", "type"], ["from", "float"])
    return KINDS.get(name, "") if wrong else ""


def predicate(error: Mapping[str, Any], hint: str) -> str:
    """Return what is wrong with one value, to be written after the name of its place."""
    type_, value, known = error["type"], error["input"], error.get("ctx", {})
    if type_ in LIMITS:
        return f"must be {LIMITS[type_](known)}, not {shown(value)}"
    if type_ == "string_pattern_mismatch":
        wanted = f"write {hint}" if hint else f"it must match {known['pattern']}"
        return f'"{value}" is not valid; {wanted}'
    if type_ in ("string_too_short", "too_short"):
        return _length("least", known["min_length"], type_, value)
    if type_ in ("string_too_long", "too_long"):
        return _length("most", known["max_length"], type_, value)
    if type_ == "value_error":
        return str(known["error"])
    return f"is not valid: {error['msg']}"


def choice(value: object, allowed: Iterable[object]) -> str:
    """Return that a value is none of the allowed ones."""
    allowed = list(allowed)
    if not isinstance(value, str):
        return f"must be one of {either(allowed)}, not {shown(value)}"
    return f'"{value}" is not one of {either(allowed)}{suggest(value, allowed)}'


def suggest(word: object, known: Iterable[object]) -> str:
    """Return `; did you mean "x"?` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(str(word), [str(one) for one in known], n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def either(words: Iterable[object]) -> str:
    """Return `a, b or c`."""
    *most, last = [str(word) for word in words]
    return f"{', '.join(most)} or {last}" if most else last


def shown(value: object) -> str:
    """Return a value as its author knows it from the file; a long one is cut."""
    if value is None:
        return "nothing (null)"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _length(bound: str, limit: int, type_: str, value: Any) -> str:
    if not value:
        return "is empty"
    what = "characters" if type_.startswith("string") else "entries"
    return f"must have at {bound} {limit} {what}, not {len(value)}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
