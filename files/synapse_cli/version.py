"""Which version runs, as the labels of the workloads say, beside the one of this checkout."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from synapse_cli.table import Row

LABEL = "app.kubernetes.io/version"
ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"(\d+)\.(\d+)\.(\d+)")
UNKNOWN = "unknown"


def shipped_version(root: Path = ROOT) -> str:
    """The version that a checkout of Synapse deploys."""
    versions = (root / "group_vars/all/versions.yml").read_text(encoding="utf-8")
    return str(yaml.safe_load(versions)["synapse_version"])


def version_row(workloads: Iterable[Any], shipped: str) -> Row:
    """The table's first line: the version that runs, or who runs which; never a fault by itself."""
    running: dict[str, list[str]] = {}
    for workload in workloads:
        labels: Mapping[str, str] = workload.metadata.labels or {}
        running.setdefault(labels.get(LABEL, UNKNOWN), []).append(workload.metadata.name)
    state = ", ".join(running) or "nothing runs"
    if len(running) > 1:
        each = (
            f"{version} ({', '.join(running[version])})" for version in sorted(running, key=age)
        )
        state = f"mixed: {', '.join(each)}; make deploy brings all to {shipped}"
    elif running and shipped not in running:
        (only,) = running
        word = "newer" if age(shipped) > age(only) else "older"
        state = f"{only}; this checkout is {word}: make deploy brings {shipped}"
    return Row("synapse", "", state, True)


def age(version: str) -> tuple[int, ...]:
    """What sorts versions, the oldest first; what is no version was there before the first one."""
    found = NUMBER.fullmatch(version)
    return tuple(map(int, found.groups())) if found else ()
