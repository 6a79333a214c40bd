"""Parts of LiteLLM's Kubernetes objects whose length follows the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import ENGINES, LITELLM, LITELLM_PORT
from synapse_common.secrets import LITELLM_ENTRY, LITELLM_SECRET
from synapse_deploy.render.litellm_config import secrets_of
from synapse_deploy.render.network import admitted, providers, within
from synapse_deploy.render.reached import from_secret, is_text, place, plain

Entry = Mapping[str, Any]

SETTINGS = {
    # Prices and limits of models come with the package; they are not fetched at every start.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_DONT_SHOW_FEEDBACK_BOX": "true",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
    # A model that repeats itself is no broken one: an answer is cut by its limit alone.
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000000",
}
"""What LiteLLM reads from its environment alone, wherever it runs."""
FIXED = {
    "PYTHONPATH": "/opt/synapse",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
}
SOMEWHERE = "https://provider.invalid"
"""For a policy any name is the same: port 443 of every public address."""


def texts(models: Iterable[Entry]) -> list[Entry]:
    """Return the models that LiteLLM can reach."""
    return [model for model in models if is_text(model)]


def secrets(models: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the Secret to make up: what opens LiteLLM, wherever it is deployed."""
    if not texts(models):
        return []
    return [
        {"name": LITELLM_SECRET, "keys": [{"name": LITELLM_ENTRY, "prefix": "sk-synapse-litellm-"}]}
    ]


def environment(models: Iterable[Entry], secret: str, drain_s: int) -> list[dict[str, Any]]:
    """Return the container's environment: settings, its own key, the keys of all providers."""
    values = {**FIXED, **SETTINGS, "GRACEFUL_SHUTDOWN_TIMEOUT": str(drain_s)}
    own = {"name": LITELLM_SECRET, "key": LITELLM_ENTRY}
    keys = [entry for model in texts(models) for entry in secrets_of(model)]
    return [
        *plain(values),
        {"name": "LITELLM_MASTER_KEY", "valueFrom": {"secretKeyRef": own}},
        *from_secret(keys, secret),
    ]


def ingress(clients: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return who may come in: the named pods."""
    return admitted([{"podSelector": {"matchLabels": dict(one)}} for one in clients], LITELLM_PORT)


def egress(
    models: Iterable[Entry],
    engines: Mapping[str, Entry],
    lan_hosts: Iterable[Entry],
    namespace: str,
) -> list[dict[str, Any]]:
    """Return where LiteLLM may go: our engines, and the providers of the catalogue."""
    reached = texts(models)
    used = {model["engine"] for model in reached} - {LITELLM.name}
    inside = within(engines[engine] for engine in sorted(used & set(engines)))
    outside = [_address(model, engines) for model in reached if ENGINES[model["engine"]].is_outside]
    return [*inside, *providers(outside, lan_hosts, namespace)]


def _address(model: Entry, engines: Mapping[str, Entry]) -> str:
    """Return where a provider is; one that only LiteLLM knows is somewhere on the internet."""
    return place(model, engines)[0] or SOMEWHERE
