"""Numbers as people write them, with points or commas for thousands."""

from __future__ import annotations

from babel import Locale
from babel.numbers import NumberFormatError, parse_decimal

_NUMBER = r"\d{1,3}(?:[.,'\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
NUMBERS = rf"(?:{_NUMBER})(?:\s?[-\u2013]\s?(?:{_NUMBER}))?"
"""A number, or two with a dash between them."""
GAP = r"[\s\u00a0\u202f]?"
MANY = 5.0


def count(number: str, locale: Locale) -> float:
    """Return how many there are, as far as grammar asks for it."""
    try:
        return float(parse_decimal(number, locale=locale))
    except NumberFormatError:
        return MANY
