"""Tags of HTML and SSML, taken out; what only looks like one stays."""

from __future__ import annotations

import re

CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)
"""Code is read as it is written: a tag in it is its content."""
UNSAID = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<\?[^<>]*\?>|<![A-Za-z][^<>]*>"
    r"|<(script|style)\b[^<>]*>(?:(?!<\1).)*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
_VALUE = r"""\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>=`]+)"""
TAG = re.compile(rf"<(/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+{_VALUE})*)\s*(/?)>")
BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "br", "break", "dd", "div", "dl", "dt", "figure",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main",
    "nav", "ol", "p", "paragraph", "pre", "s", "section", "sentence", "speak", "table", "tbody",
    "td", "th", "thead", "title", "tr", "ul", "voice",
})  # fmt: skip
"""A person pauses here."""
INLINE = frozenset({
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "emphasis", "font", "i", "ins", "kbd",
    "lang", "mark", "phoneme", "prosody", "q", "say-as", "small", "span", "strike", "strong",
    "sub", "sup", "token", "tt", "u", "var", "w",
})  # fmt: skip
"""These stand in the middle of words too; around others words end."""


def without(text: str) -> str:
    """Return the text without tags, with a line of its own for each block."""
    parts = CODE.split(text)
    parts[::2] = [_without(part) for part in parts[::2]]
    return "".join(parts)


def _without(text: str) -> str:
    text = UNSAID.sub(" ", text)
    closed = {tag[2].lower() for tag in TAG.finditer(text) if tag[1]}

    def replaced(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        if name in BLOCKS:
            return "\n\n"
        # `<name>` alone may be a placeholder, and `List<String>` is no markup at all.
        if tag[1] or tag[3] or tag[4] or name in closed:
            return "" if name in INLINE else " "
        return tag[0]

    return TAG.sub(replaced, text)
