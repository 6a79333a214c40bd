"""A model of the gateway's configuration that is served somewhere."""

from __future__ import annotations

from typing import Any

from synapse_gateway.config import Model

URL = "http://engine/v1"


def served_model(name: str, kind: str, engine: str, **more: Any) -> Model:
    """Return a model at some address."""
    place = {"url": URL, "served_name": "served"}
    return Model.model_validate({"name": name, "kind": kind, "engine": engine, **place, **more})
