"""What a field of a body is filled with: many, deep, long or strange things."""

from __future__ import annotations

from collections.abc import Callable


def _rows(unit: str, opening: str = "[", closing: str = "]") -> Callable[[int, int], str]:
    """Return a filling of as many equal elements as fit."""

    def fill(size: int, _: int) -> str:
        return opening + ",".join([unit] * max(1, size // (len(unit.encode()) + 1))) + closing

    return fill


def _nested(opening: str, closing: str) -> Callable[[int, int], str]:
    """Return a filling of many elements, each so deep."""

    def fill(size: int, depth: int) -> str:
        one = opening * depth + "1" + closing * depth
        return _rows(one)(size, 0)

    return fill


def _numbered(unit: str, opening: str, closing: str) -> Callable[[int, int], str]:
    """Return a filling of elements that all differ; `%d` is where."""

    def fill(size: int, _: int) -> str:
        count = max(1, size // (len(unit) + 6))
        return opening + ",".join(unit % number for number in range(count)) + closing

    return fill


def _text(unit: str, after: str = "") -> Callable[[int, int], str]:
    """Return a filling of one long string; the escapes in it are JSON's."""
    return lambda size, _: '"' + unit * max(1, size // len(unit.encode())) + after + '"'


TOOL = '{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}'
PART = '{"type":"text","text":"a"}'
PIXEL = "data:image/png;base64,iVBORw0KGgo="
PICTURE = '{"type":"image_url","image_url":{"url":"' + PIXEL + '"}}'
FILLINGS: dict[str, Callable[[int, int], str]] = {
    "text": _text("a"),
    "wide text": _text("a", "\U0001f600"),
    "emoji": _text("\U0001f600"),
    "escapes": _text("\\n"),
    "unicode escapes": _text("\\ud83d\\ude00"),
    "quotes": _text('\\"'),
    "long words": _text("/"),
    "picture data": lambda size, _: f'"data:image/png;base64,{"A" * (size // 4 * 4)}"',
    "picture url": lambda size, _: '{"url":"data:image/png;base64,%s"}' % ("A" * (size // 4 * 4)),
    "nulls": _rows("null"),
    "zeros": _rows("0"),
    "floats": _rows("1e-300"),
    "long numbers": _rows("1." + "1" * 300),
    "empty strings": _rows('""'),
    "strings": _rows('"a"'),
    "arrays": _rows("[]"),
    "objects": _rows("{}"),
    "small objects": _rows('{"a":{}}'),
    "deep arrays": _nested("[", "]"),
    "deep objects": _nested('{"a":', "}"),
    "keys": _numbered('"k%d":0', "{", "}"),
    "one long key": lambda size, _: '{"%s":0}' % ("k" * size),
    "one key again": _rows('"k":0', "{", "}"),
    "objects of keys": _numbered('{"k%d":0}', "[", "]"),
    "messages": _rows('{"role":"user","content":"a"}'),
    "messages of parts": _rows('{"role":"user","content":[' + PART + "]}"),
    "tool messages": _rows('{"role":"tool","tool_call_id":"1","content":"a"}'),
    "calls": _rows(
        '{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",'
        '"function":{"name":"f","arguments":"{}"}}]}'
    ),
    "parts": _rows(PART),
    "pictures": _rows(PICTURE),
    "tools": _rows(TOOL),
    "namespaces": lambda size, depth: (
        '[{"type":"namespace","tools":' * depth + _rows(TOOL)(size, 0) + "}]" * depth
    ),
    "schema": lambda size, depth: (
        '{"type":"object","properties":{"a":' * depth
        + _numbered('"k%d":{"type":"string"}', '{"type":"object","properties":{', "}}")(size, 0)
        + "}}" * depth
    ),
    "tokens": _rows("[1,2]"),
    "padding": lambda size, _: " " * size + '"a"',
}
"""How a field is filled: with about so many bytes, and so deep where it has a depth."""
