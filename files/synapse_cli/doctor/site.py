"""The site as its user wrote it: what `make check` would refuse, without a run of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.finding import Finding
from synapse_deploy.catalogue import check, filters

INVENTORIES = "inventory/common,inventory/current"
"""As in ansible.cfg, which counts where the environment does not say otherwise."""


def catalogue(site: Mapping[str, Any]) -> Iterator[Finding]:
    """The faults of the catalogue and of all options, and what the user may not expect."""
    folders = os.environ.get("ANSIBLE_INVENTORY", INVENTORIES).split(",")
    values = {name: site[name] for name in check.looked_at(site)}
    models = len(site.get("synapse_models") or ())
    # Only a deployment fills templates in; what comes of one cannot be judged here.
    faults = [
        sentence
        for sentence in filters.problems(values, site, folders)
        if not any(f": {name}" in sentence for name in _templates(values))
    ]
    if faults:
        yield Finding("site", "catalogue", f"{len(faults)} faults", " ".join(_ended(faults)))
        return
    yield Finding("site", "catalogue", f"{models} models")
    if told := filters.warnings(values, folders):
        yield Finding(
            "site", "expectations", f"{len(told)} to know", " ".join(_ended(told)), is_note=True
        )


def _templates(values: Mapping[str, Any]) -> list[str]:
    return [name for name, value in values.items() if "{{" in str(value)]


def _ended(sentences: list[str]) -> Iterator[str]:
    for sentence in sentences:
        yield sentence if sentence.endswith(".") else f"{sentence}."
