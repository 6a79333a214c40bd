"""How a model is reached: directly, or through LiteLLM; where, by what name, with which key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import AUDIO_KINDS, ENGINES, LITELLM

Entry = Mapping[str, Any]

LITELLM_KEY = "LITELLM_KEY"
"""The variable with the key for LiteLLM, in the gateway's pod."""


def is_text(model: Entry) -> bool:
    """Say whether LiteLLM can reach a model at all: sound passes it by."""
    return model["kind"] not in AUDIO_KINDS


def at_litellm(model: Entry, local: str) -> bool:
    """Say whether the gateway asks LiteLLM for a model in every dialect.

    `local` says how it reaches the models of the cluster: `direct`, or `litellm`. Those on Ollama
    it reaches itself, since LiteLLM reaches them through it.
    """
    engine = ENGINES[model["engine"]]
    behind = local == LITELLM.name and not engine.is_native
    return is_text(model) and (engine.is_outside or behind)


def place(model: Entry, engines: Mapping[str, Entry]) -> tuple[str, str]:
    """Return the address that serves a model, with /v1, and what it is called there.

    The address is empty where LiteLLM knows the provider's.
    """
    engine = ENGINES[model["engine"]]
    url = model["base_url"] or "" if engine.is_outside else f"{engines[engine.name]['url']}/v1"
    return url, model[engine.knows_models_by]


def variable(entry: str) -> str:
    """Return the environment variable with an entry of the provider-keys Secret."""
    return "PROVIDER_KEY_" + "".join(c if c.isalnum() else "_" for c in entry).upper()


def from_secret(entries: Iterable[str], secret: str) -> list[dict[str, Any]]:
    """Return the variables of a container that hold these entries of the provider-keys Secret."""
    return [
        {"name": variable(entry), "valueFrom": {"secretKeyRef": {"name": secret, "key": entry}}}
        for entry in sorted(set(entries))
    ]


def plain(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the variables of a container with these values."""
    return [{"name": name, "value": value} for name, value in values.items()]
