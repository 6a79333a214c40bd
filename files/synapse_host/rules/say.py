"""How rules say what they found: one line, and a sentence with the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from synapse_common.finding import Finding

server = partial(Finding, "server")
gpu = partial(Finding, "gpu")

DEPLOY_CLUSTER = "`.venv/bin/ansible-playbook site.yml --tags cluster`"
DEPLOY_NVIDIA = "`.venv/bin/ansible-playbook site.yml --tags nvidia`"


def listed(words: Iterable[str]) -> str:
    """Return words as people list them: one, two and three."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: 580.126.20-0ubuntu1 is (580, 126, 20)."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def share(part: float, whole: float) -> int:
    """Return a part in per cent of the whole."""
    return round(100 * part / whole) if whole else 0
