"""What the gateway and LiteLLM are told: the same models at the same engine."""

from __future__ import annotations

from typing import Any

from synapse_deploy.render import gateway_config, litellm_config

(
    ENGINE, COPY, COPY_TWICE, ARBITER, BOOT, ARBITER_METRICS, OPERATOR, LITELLM, EDGE,
    EDGE_INNER, EDGE_METRICS, EARS_ENGINE, CLOSED,
) = range(21080, 21093)  # fmt: skip
"""Ports on 127.0.0.1; at CLOSED nobody listens."""
EARS = "ears"
APP = "bench"
KEY = f"sk-synapse-{APP}"
STRAIGHT, NATIVE, ARBITRATED = "straight", "native", "awake"
AWAY, FULL = "away", "full"
"""Models that cannot answer: nobody is there, or the engine says 503."""
TIMEOUTS = {"timeout_s": 60, "stream_timeout_s": 60, "connect_timeout_s": 2}


def url(port: int) -> str:
    """Return the address of a port here."""
    return f"http://127.0.0.1:{port}"


def _model(name: str, engine: str, *fallbacks: str) -> dict[str, Any]:
    return {"name": name, "engine": engine, "kind": "chat", "fallbacks": list(fallbacks)}


MODELS = [
    _model(STRAIGHT, "vllm"),
    _model(NATIVE, "ollama"),
    _model(ARBITRATED, "vllm"),
    _model(AWAY, "vllm", STRAIGHT),
    _model(FULL, "vllm", STRAIGHT),
    _model(EARS, "speaches") | {"kind": "transcription", "source": EARS},
]
# The edge reaches these past the arbiter.
AT_THE_ENGINE = {STRAIGHT: ENGINE, FULL: ENGINE, AWAY: CLOSED}


def edge() -> dict[str, Any]:
    """Return the gateway's configuration."""
    engines = {
        "vllm": {"url": url(ARBITER)},
        "ollama": {"url": url(ENGINE)},
        "speaches": {"url": url(EARS_ENGINE)},
    }
    apps = [{"name": APP, "models": ["*"]}]
    settings = {"port": EDGE, "inner_port": EDGE_INNER, "metrics_port": EDGE_METRICS}
    told = gateway_config.gateway(MODELS, [], apps, engines, settings)
    for model in told["models"]:
        if model["name"] in AT_THE_ENGINE:
            model |= {"url": f"{url(AT_THE_ENGINE[model['name']])}/v1", "via_arbiter": False}
    return told


def litellm() -> dict[str, Any]:
    """Return the configuration of LiteLLM alone, before the same engine."""
    engines = {"vllm": {"url": url(ENGINE)}, "ollama": {"url": url(ENGINE)}}
    told = litellm_config.config(MODELS, [], engines, TIMEOUTS)
    for route in told["model_list"]:
        if route["model_name"] == AWAY:
            route["litellm_params"]["api_base"] = f"{url(CLOSED)}/v1"
    return told


def arbiter() -> dict[str, Any]:
    """Return the configuration of an arbiter whose only model is awake."""
    ports = {"inference": ARBITER, "boot": BOOT, "metrics": ARBITER_METRICS, "operator": OPERATOR}
    model = {"name": ARBITRATED, "url": url(ENGINE), "vram_gib": 24, "concurrency": 64}
    return {
        "ports": ports,
        "gpu": {"vram_gib": 32, "vram_source": "none"},
        "models": [model],
        "limits": {"watch_s": 3600},
    }
