"""What an alias may add to requests: only what the model behind it can follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common import presets
from synapse_common.presets import Target
from synapse_deploy.catalogue.capability_rules import capabilities_of
from synapse_deploy.catalogue.rules import Found, kind_of, named


def preset(site: Mapping[str, Any]) -> Found:
    """An alias adds nothing twice, and nothing that its model cannot follow."""
    models = named(site, "synapse_models")
    for alias in named(site, "synapse_aliases").values():
        model = models.get(str(alias.entry.get("model")))
        if model is not None:
            for place, text in presets.faults(alias.entry, target(model.entry)):
                yield (*alias.path, *place), text


def target(model: Mapping[str, Any]) -> Target:
    """Return what counts of a model's entry."""
    return Target(str(model["name"]), kind_of(model), capabilities_of(model), model.get("context"))
