"""Describe one HTTP answer without what is different every time."""

import json
import re
from collections.abc import Mapping
from typing import Any

from vllm_recorder.recording import Answer

_HEADERS = ("content-type", "allow", "access-control-allow-origin", "access-control-allow-methods")
_RAW = "application/octet-stream"
# Pages that describe the server itself, not what it does.
_CUT = ("text/html", '{"openapi":')
# Numbers of its own that a server makes up, and where they stand.
_IDS = re.compile(r"[0-9a-f]{16,32}")
_BUILD = re.compile(r"(vllm-[\d.]+)(\+\w+)?-[0-9a-f]{8}$")
_LABEL = re.compile(r"^([\d.]+)\+\w+$")
# Of a text longer than this, longer than any error, the beginning stays.
_LONG = 2000
# Of a list of numbers (tokens, a vector) so many stay.
_SHOWN = 3
_TIMES = ("created", "created_at")
_PATHS = ("root",)


def describe(
    status: int, headers: Mapping[str, str], body: bytes, *, broken: bool = False
) -> Answer:
    """Reduce an answer to what another server of the same version would answer too."""
    given = {name.lower(): value for name, value in headers.items()}
    answer: dict[str, Any] = {"status": status}
    answer |= {name: given[name] for name in _HEADERS if name in given}
    if broken:
        answer["broken"] = True
    media = given.get("content-type", "")
    if media == _RAW:
        return answer | {"bytes": len(body)}
    text = body.decode("utf-8", "replace")
    if media.startswith(_CUT[0]) or text.startswith(_CUT[1:]):
        return answer | {"cut": True}
    return answer | _content(media, text)


def _content(media: str, text: str) -> dict[str, Any]:
    if not text:
        return {}
    if media.startswith("text/event-stream"):
        return {"events": _events(text)}
    if "version=" in media:
        return {"metrics": _metrics(text)}
    if media.startswith("application/json"):
        return {"json": scrubbed(json.loads(text))}
    return {"text": text}


def scrubbed(value: Any, key: str = "") -> Any:
    """Replace what a server makes up: ids, times, its build, its folder."""
    if isinstance(value, dict):
        return {name: scrubbed(each, name) for name, each in value.items()}
    if isinstance(value, list):
        few = value[:_SHOWN] if all(isinstance(each, int | float) for each in value) else value
        return [scrubbed(each, key) for each in few]
    if key in _TIMES and value is not None:
        return 0
    if key in _PATHS:
        return "ROOT"
    if isinstance(value, str):
        value = value if len(value) < _LONG else f"{value[:100]}..."
        text = _LABEL.sub(r"\1", value) if key == "version" else value
        return _BUILD.sub(r"\1-BUILD", _IDS.sub("ID", text))
    return value


def _events(text: str) -> list[Any]:
    """Read a stream: [name, data] for an event with a name, data alone for one without.

    Of events of one shape that follow each other only the first stays: how many there are depends
    on how quickly they were read. Choices of one answer are mixed as they come, so they are sorted.
    """
    events = [_event(block) for block in text.split("\n\n") if block.strip()]
    events.sort(key=_choice)
    kept: list[Any] = []
    for event in events:
        if not kept or shape(event) != shape(kept[-1]):
            kept.append(event)
    return kept


def _event(block: str) -> Any:
    fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
    data = fields["data"]
    read = data if data == "[DONE]" else scrubbed(json.loads(data))
    return [fields["event"], read] if "event" in fields else read


def _choice(event: Any) -> int:
    """Sort by choice; what belongs to none comes last, as it came."""
    choices = event.get("choices") if isinstance(event, dict) else None
    return choices[0]["index"] if choices else 10**6


def shape(value: Any) -> Any:
    """Reduce a value to its keys and types; the name of an event and every index stay."""
    if isinstance(value, dict):
        return {key: each if key == "index" else shape(each) for key, each in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
            return [value[0], shape(value[1])]
        return [shape(each) for each in value]
    return type(value).__name__


def _metrics(text: str) -> dict[str, Any]:
    """Name every metric with its type and the labels that its samples have."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in kinds}
    for name, given in re.findall(r"^([\w:]+)\{(.*)\} ", text, re.MULTILINE):
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        labels.get(name, labels.get(family, set())).update(re.findall(r'(\w+)="', given))
    return {name: [kind, *sorted(labels[name])] for name, kind in sorted(kinds.items())}
