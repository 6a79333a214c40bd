"""What Ansible's output tells: what it works on, what it changed, why it failed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

TASK = re.compile(r"^TASK \[(?:[\w.]+ : )?(.*)\] \**$")
SAID = re.compile(r"^ {4}(waiting .*|\S+: .*%.*)$")
FAILED = re.compile(r"^(?:fatal|failed): \[(?P<host>[^\]]+)\].*?=> *(?P<rest>.*)$")
COUNT = re.compile(r"\bchanged=(\d+)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SENTENCES = 12


def plain(line: str) -> str:
    """Return a line without its colours and its end."""
    return COLOURS.sub("", line).rstrip()


def works_on(line: str) -> str:
    """Return what a line says about what is worked on or waited for; empty: nothing."""
    found = TASK.match(line) or SAID.match(line)
    return found.group(1) if found else ""


def changes(lines: Iterable[str]) -> int | None:
    """Return how much a run changed, as its recap counts it; None: it had no recap."""
    counts = [int(found.group(1)) for line in lines if (found := COUNT.search(line))]
    return sum(counts) if counts else None


def failure(lines: Iterable[str]) -> list[str]:
    """Return the last sentences of a run that failed: the message of its last failure."""
    lines = list(lines)
    places = [place for place, line in enumerate(lines) if FAILED.match(line)]
    if not places:
        return [line for line in lines if line.strip()][-SENTENCES:]
    block = []
    for line in lines[places[-1] + 1 :]:
        if line and not line.startswith(" "):
            break
        block.append(line)
    return _message(block)[:SENTENCES] or [lines[places[-1]]]


def _message(block: list[str]) -> list[str]:
    """Return the text behind `msg`; all of the block where it is not read."""
    try:
        found = yaml.safe_load("\n".join(block))
        told = str(found["msg"])
    except (yaml.YAMLError, KeyError, TypeError):
        told = "\n".join(block)
    return [line.strip() for line in told.splitlines() if line.strip()]
