"""Markdown as lines of plain text, a pause after each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

WRAPPED_FROM = 50
"""A line of so many characters went on because it was full, not because something ended."""
CLOSED = re.compile(r"[.!?…:;,。\uff01\uff1f\uff1a\uff1b、\uff0c।؟،؛॥][\"'”\u2019»\u203a)\]]*$")
LEFT_OVER = re.compile(
    r"(?<!\w)\*{2,}|\*{2,}(?!\w)|(?<![\w*])\*(?=[^\W\d])|(?<=[^\W\d]{2})\*(?![\w*])|`+"
)
"""Halves of markup: clients cut a long answer into sentences wherever one ends."""
ARROW = re.compile(r"\s*[→⇒⟶➔➜➞►▸]\s*")
SPACES = re.compile(r"[^\S\n]+")
NOTE = re.compile(r"\[\^[^\]\s]+\]")
TASK = re.compile(r"^\[[ xX]\]\s+")
TARGET = re.compile(r"[/#.:@]")

# An indented line is no code, and tags are gone by now.
_READER = MarkdownIt("commonmark").disable(["code", "html_block", "html_inline"])
_READER.enable(["table", "strikethrough"])
# `[a](b)` and `[note]: something` are links only where they lead somewhere.
_READER.validateLink = lambda url: bool(TARGET.search(url))  # type: ignore[method-assign]


def plain(text: str) -> str:
    """Return what is written, without how: headings, lists, tables and code line by line."""
    blocks: list[str] = []
    number, cells, in_cell = "", [""], False
    for token in _READER.parse(text):
        match token.type:
            case "list_item_open":
                number = f"{token.info}{token.markup} " if token.info else ""
            case "fence":
                blocks += token.content.splitlines()
            case "tr_open":
                cells = []
            case "tr_close":
                blocks.append(", ".join(filter(None, cells)))
            case "th_open" | "td_open":
                in_cell = True
            case "th_close" | "td_close":
                in_cell = False
            case "inline" if in_cell:
                cells.append(" ".join(_written(token.children or []).split()))
            case "inline":
                words = TASK.sub("", _written(token.children or []))
                blocks.append(_lines((number + words).splitlines()))
                number = ""
    return ARROW.sub(", ", _paused(blocks, ""))


def _written(tokens: Sequence[Token]) -> str:
    """Return the text of a paragraph; `a*b*c` keeps its stars, as nothing is stressed there."""
    out = ""
    literal: list[bool] = []
    for index, token in enumerate(tokens):
        if token.nesting == 1:
            stars = set(token.markup) == {"*"}
            literal.append(stars and _between(out[-1:], _after(tokens, index), token.markup))
        if token.nesting and literal and literal[-1]:
            out += token.markup
        elif token.type == "code_inline":
            out += token.content
        elif token.type == "text":
            out += LEFT_OVER.sub("", NOTE.sub("", token.content))
        elif token.type == "image":
            out += _written(token.children or [])
        elif token.type in ("softbreak", "hardbreak"):
            out += "\n"
        if token.nesting == -1:
            literal.pop()
    return out


def _between(left: str, right: str, markup: str) -> bool:
    """Tell whether the stars stand inside a word or a sum."""
    return left.isdigit() or (left.isalnum() and right.isalnum() and markup == "*")


def _after(tokens: Sequence[Token], opening: int) -> str:
    """Return the character after the end of what begins here."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return next((token.content[:1] for token in tokens[index + 1 : index + 2]), "")
    return ""


def _lines(lines: Sequence[str]) -> str:
    """Return a paragraph's lines with pauses, but as one where a line was only full."""
    joined: list[str] = []
    full = False
    for line in lines:
        if full:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        full = len(line) >= WRAPPED_FROM
    return _paused(joined, ",")


def _paused(texts: Iterable[str], going_on: str) -> str:
    """Return the texts as one, each but the last with its end: a full stop or `going_on`."""
    found = [text for text in (SPACES.sub(" ", each).strip() for each in texts) if text]
    out = ""
    for text, following in pairwise([*found, ""]):
        stop = going_on if going_on and following[:1].islower() else "."
        out += text if not following else f"{text}\n" if CLOSED.search(text) else f"{text}{stop}\n"
    return out
