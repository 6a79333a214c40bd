"""The lines of one subtitle."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LINE = 42
"""Columns; a Chinese, Japanese or Korean character takes two."""


def in_lines(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words, each with the blank before it, in one line or in the two most alike."""
    whole = "".join(words).strip()
    if width(whole) <= LINE:
        return (whole,)
    pairs = [
        ("".join(words[:at]).strip(), "".join(words[at:]).strip())
        for at in range(1, len(words))
        if may_break(words[at - 1], words[at])
    ]
    return min(pairs, key=lambda pair: max(map(width, pair)), default=(whole,))


def may_break(before: str, after: str) -> bool:
    """Say whether a line may end here: at a blank, or in a language that is written without."""
    return after[:1].isspace() or not (before + after).isascii()


def width(line: str) -> int:
    """Return how many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
