"""What another version changes for one site: two renderings compared, object by object."""

import copy
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from synapse_cli.rendered import Object
from synapse_cli.version import LABEL

# The end of a ConfigMap's name that its content decides; without it both versions' are compared.
CONTENT_HASH = re.compile(r"-[0-9a-f]{10}$")


@dataclass
class Changes:
    """Names of objects by what happens to them, and all of it as a diff to read."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    diff: str = ""

    def summary(self) -> list[str]:
        """One line for each kind of change; the version's label, which all get, is none."""
        lines = [
            f"{word}: {', '.join(names)}"
            for word, names in (
                ("added", self.added),
                ("removed", self.removed),
                ("changed", self.changed),
            )
            if names
        ]
        lines = lines or ["no object changes but for the label that says the version"]
        return [*lines, f"restarts: {', '.join(self.restarted) or 'nothing'}"]


def compare(before: Iterable[Object], after: Iterable[Object]) -> Changes:
    """Compare what a site gets from two versions."""
    old, new = by_name(before), by_name(after)
    found = Changes(added=sorted(new.keys() - old), removed=sorted(old.keys() - new))
    for name in sorted(old.keys() | new):
        one, other = old.get(name), new.get(name)
        if one == other:
            continue
        found.diff += difference(name, one, other)
        if one and other:
            found.changed.append(name)
            if pods(one) and pods(one) != pods(other):
                found.restarted.append(name)
    return found


def by_name(objects: Iterable[Object]) -> dict[str, Object]:
    """Objects by kind and name, without the label that differs for every one."""
    return {name_of(one): unlabelled(one) for one in objects}


def name_of(one: Object) -> str:
    """Kind and name, the same for whatever content."""
    return f"{one['kind']} {CONTENT_HASH.sub('', one['metadata']['name'])}"


def unlabelled(one: Object) -> Object:
    """An object without the label of its version."""
    kept = copy.deepcopy(one)
    (kept["metadata"].get("labels") or {}).pop(LABEL, None)
    return kept


def pods(one: Mapping[str, Any]) -> Any:
    """What a workload's pods are made from: where it differs, they are replaced."""
    return (one.get("spec") or {}).get("template")


def difference(name: str, before: Object | None, after: Object | None) -> str:
    """One object's change, as `diff -u` shows it."""
    old, new = (
        yaml.safe_dump(one, sort_keys=True, width=160).splitlines(keepends=True) if one else []
        for one in (before, after)
    )
    return "".join(difflib.unified_diff(old, new, fromfile=name, tofile=name))
