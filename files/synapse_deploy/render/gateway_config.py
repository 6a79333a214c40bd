"""From a slice of the catalogue to the gateway's two configuration files. Pure, without Ansible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_common.engines import AUDIO_KINDS, ENGINES, is_on_gpu
from synapse_deploy.render.context_fallbacks import roomier

Entry = Mapping[str, Any]

# LiteLLM's leanest way to any OpenAI-compatible server, Ollama's included.
PROVIDER = "hosted_vllm"
NO_KEY = "none"
# Nobody reads what LiteLLM thinks an answer cost; it would look long for why it cost nothing.
FREE = {"input_cost_per_token": 0, "output_cost_per_token": 0}
APP_KEYS = (
    "name", "models", "requests_per_minute", "tokens_per_minute", "parallel_requests",
    "priority", "max_wait_s",
)  # fmt: skip


def routes(
    models: Iterable[Entry], engines: Mapping[str, Entry], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return LiteLLM's configuration: one route per model, fallback chains, no retries."""
    models = [model for model in models if model["kind"] not in AUDIO_KINDS]
    return {
        "model_list": [_route(model, engines, settings) for model in models],
        "router_settings": {
            "num_retries": 0,
            "disable_cooldowns": True,
            "timeout": settings["timeout_s"],
            "fallbacks": [{m["name"]: list(m["fallbacks"])} for m in models if m["fallbacks"]],
            "context_window_fallbacks": roomier(models),
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "background_health_checks": False,
            "cancel_on_disconnect": True,
        },
        "litellm_settings": {
            "drop_params": True,
            "num_retries": 0,
            "request_timeout": settings["timeout_s"],
            "sse_keepalive_ping_interval_seconds": settings["keepalive_s"],
        },
    }


def gateway(
    models: Iterable[Entry],
    aliases: Iterable[Entry],
    apps: Iterable[Entry],
    engines: Mapping[str, Entry],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the edge's configuration: who may ask for what, and what stands behind a name."""
    return {
        "settings": dict(settings),
        "models": [
            {
                "name": model["name"],
                "kind": model["kind"],
                "engine": model["engine"],
                "fallbacks": list(model["fallbacks"]),
                "via_arbiter": is_on_gpu(model["engine"]),
                **(_audio(model, engines) if model["kind"] in AUDIO_KINDS else {}),
            }
            for model in models
        ],
        "aliases": [{"name": alias["name"], "model": alias["model"]} for alias in aliases],
        "apps": [{key: app[key] for key in APP_KEYS if app.get(key) is not None} for app in apps],
    }


def environment(models: Iterable[Entry], secret: str) -> list[dict[str, Any]]:
    """Return the container's environment: fixed settings, and the provider keys in use."""
    fixed = {
        "PYTHONPATH": "/opt/synapse",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
    }
    names = sorted({model["api_key"] for model in models if model.get("api_key")})
    plain = [{"name": name, "value": value} for name, value in fixed.items()]
    return plain + [
        {
            "name": _variable(name),
            "valueFrom": {"secretKeyRef": {"name": secret, "key": name}},
        }
        for name in names
    ]


def _route(
    model: Entry, engines: Mapping[str, Entry], settings: Mapping[str, Any]
) -> dict[str, Any]:
    base, served_name = _place(model, engines)
    return {
        "model_name": model["name"],
        "litellm_params": {
            "model": f"{PROVIDER}/{served_name}",
            "api_base": base,
            "api_key": _key(model),
            "max_retries": 0,
            "timeout": settings["timeout_s"],
            "stream_timeout": settings["stream_timeout_s"],
        },
        "model_info": {"id": model["name"], "mode": model["kind"], **FREE},
    }


def _audio(model: Entry, engines: Mapping[str, Entry]) -> dict[str, Any]:
    """Return what the edge must know of a model that it reaches without LiteLLM."""
    url, served_name = _place(model, engines)
    known: dict[str, Any] = {"url": url, "served_name": served_name}
    if model.get("languages"):
        known["languages"] = list(model["languages"])
    if "voices" in ENGINES[model["engine"]].dialects:
        known["voices"] = _voices(model)
    if model.get("api_key"):
        known["key_variable"] = _variable(model["api_key"])
    return known


def _voices(model: Entry) -> list[str]:
    """Return every name that a voice of this model answers to: a client's, or Piper's own."""
    spoken = (voice.partition("#")[0] for voice in model["voices"].values())
    return list(dict.fromkeys([*model["voices"], model["source"], *spoken]))


def _place(model: Entry, engines: Mapping[str, Entry]) -> tuple[str, str]:
    """Return the address that serves a model, with /v1, and what it is called there."""
    engine = ENGINES[model["engine"]]
    url = model["base_url"] if engine.is_outside else f"{engines[engine.name]['url']}/v1"
    return url, model[engine.knows_models_by]


def _key(model: Entry) -> str:
    name = model.get("api_key")
    return f"os.environ/{_variable(name)}" if name else NO_KEY


def _variable(name: str) -> str:
    return "PROVIDER_KEY_" + "".join(c if c.isalnum() else "_" for c in name).upper()
