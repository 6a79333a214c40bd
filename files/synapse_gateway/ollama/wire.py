"""JSON and lines of JSON as both APIs send them, read strictly and written compactly."""

from __future__ import annotations

import json
from typing import Any

import orjson

from synapse_common.bodies import parsing
from synapse_common.sse import LINES, Cutter, EventReader

JSON = dict[str, Any]

TOO_LONG = "the input length exceeds the context length"
"""What Ollama answers, word for word, to a request that it may not shorten."""
LINE_LIMIT_BYTES = 8 * 1024**2
"""No line or event of an honest engine is longer."""
DONE = b"data: [DONE]\n\n"


def dumps(value: Any) -> bytes:
    """Write compact JSON; every text survives, half a surrogate pair too, and every integer."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson knows neither
        pass
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def parse(data: bytes | str) -> JSON:
    """Read one JSON object; raise ValueError for anything else.

    The standard library's reader, because it keeps integers of any size.
    """
    try:
        value = json.loads(data, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("the JSON is not an object")
    return value


def parse_given(text: str) -> JSON:
    """Read a JSON object that a client wrote as a text; raise ValueError for anything else."""
    if text.count("[") + text.count("{") > parsing.LEVELS:
        parsing.loads(text.encode())  # which bounds the depth
    return parse(text)


def read(data: bytes) -> JSON:
    """Read one JSON object of an engine; raise ConnectionError for anything else."""
    try:
        return parse(data)
    except ValueError:
        raise ConnectionError("the engine's answer is not a JSON object") from None


def line(value: Any) -> bytes:
    """Write a line of newline-delimited JSON."""
    return dumps(value) + b"\n"


def event(value: Any) -> bytes:
    """Write a server-sent event."""
    return b"data: " + dumps(value) + b"\n\n"


def text(holder: JSON, key: str) -> str:
    """Return a text of an engine's answer, empty where it is missing; else ConnectionError."""
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConnectionError(f"'{key}' in the engine's answer is not a text")
    return value


def count(holder: JSON, key: str) -> int:
    """Return a count of an engine's answer; Ollama leaves out a count of 0."""
    value = holder.get(key)
    return value if isinstance(value, int) else 0


def objects(holder: JSON, key: str) -> list[JSON]:
    """Return a list of objects of an engine's answer, empty where it is missing."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ConnectionError(f"'{key}' in the engine's answer is not a list of objects")
    return value


class LineReader(Cutter):
    """Cuts a stream into its lines."""

    def __init__(self) -> None:
        """Begin before the first line."""
        super().__init__(LINES, LINE_LIMIT_BYTES)


class DataReader:
    """Cuts a stream of server-sent events into the data of each, without comments."""

    def __init__(self) -> None:
        """Begin before the first event."""
        self._events = EventReader(LINE_LIMIT_BYTES)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of the events that end in these bytes."""
        found = (_data(event) for event in self._events.feed(data))
        return [data for data in found if data]


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _data(event: bytes) -> bytes:
    lines = (line for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)
