"""A site as a JSON schema: what editors use to complete, explain and check a user's files."""

from __future__ import annotations

from functools import cache
from typing import Any

from synapse_common.engines import ENGINES
from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.check import site_model
from synapse_deploy.catalogue.entries import MODEL_TYPES
from synapse_deploy.catalogue.facts import Facts
from synapse_deploy.catalogue.options import ROOT

FILE = ROOT / "inventory/site.schema.json"
# A value may be written as a template of Ansible's, which no schema can look into.
TEMPLATE = {"type": "string", "pattern": r"\{\{"}


@cache
def site_schema() -> dict[str, Any]:
    """Return the schema of one file of a site: it may set any of the variables, and needs none."""
    made = site_model().model_json_schema()
    facts, given = options.facts(), made["properties"]
    for name in Facts.model_fields:
        given[name]["description"] = facts[name].comment
        given[name]["default"] = facts[name].default
    properties = {name: _templated(name, given[name]) for name in given}
    starts = "|".join(("synapse", *options.roles()))
    known = sorted({*properties, *options.specs()})
    for engine, model in MODEL_TYPES.items():
        made["$defs"][model.__name__]["properties"]["kind"]["enum"] = list(ENGINES[engine].kinds)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A site of Synapse",
        "type": "object",
        "properties": properties,
        "propertyNames": {"anyOf": [{"enum": known}, {"not": {"pattern": f"^({starts})_"}}]},
        "$defs": made["$defs"],
    }


def _templated(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        key: schema.pop(key) for key in ("description", "default") if key in schema
    }
    schema.pop("title", None)
    if "{{" in str(told.get("default", "")):
        told.pop("default")
    return {"title": name, **told, "anyOf": [schema, TEMPLATE]}
