"""What the gateway is told: a model for each engine, and who may ask for how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abuse.behaviours import BAD, BEHAVIOURS
from synapse_deploy.render import gateway_config

MEMORY_MIB = 1024
"""The memory of the gateway's pod, as the role sets it."""
HARM, OTHERS, BATCH = "harm", "others", "batch"
"""The application that does harm, the one that is asked about, and one that can wait."""
NOWHERE: Mapping[str, str] = {}
PARALLEL = 12
"""What the application that does harm may ask at once."""
WELL, SEES, NATIVE, EMBED, RANK, EARS = "well", "sees", "native", "embed", "rank", "ears"
WIDE, FLOOD = "wide", "flood"
PACED_EARS, DEAF, QUEUED = "paced_ears", "deaf", "queued"
"""Models that hear; `queued` has a line of its own at the engine that is deaf."""
HEARING = (EARS, PACED_EARS, DEAF, QUEUED)
MUMBLES, SINGS = "mumbles", "sings"
SPEAKING = (MUMBLES, SINGS)
ARBITRATED = "arbitrated"
"""A model that is reached through the arbiter, where one runs."""
LIMITS = {
    "connect_timeout_s": 1, "header_timeout_s": 3, "body_timeout_s": 4, "sending_timeout_s": 4,
    "timeout_s": 4, "stream_timeout_s": 3, "speaking_timeout_s": 3, "keepalive_s": 1,
    "client_pause_s": 4, "total_timeout_s": 10, "audio_silence_s": 20,
    "transcription_wait_s": 30, "transcription_concurrency": 2, "parallel_requests": 400,
    "app_requests_at_once": 400, "memory_mib": MEMORY_MIB,
}  # fmt: skip
"""Short enough to wait for."""


def config(
    ports: Mapping[str, int], settings: dict[str, Any], addressed: Mapping[str, str] = NOWHERE
) -> dict[str, Any]:
    """Return the gateway's configuration: a model for each engine, and three applications.

    Further models are `addressed` by their own URL.
    """
    addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    kinds = ("vllm", "ollama", "speaches", "piper")
    known = {kind: {"url": addresses[WELL]} for kind in kinds} | {
        "speaches": {"url": addresses[EARS]}
    }
    models: list[dict[str, Any]] = [
        _model(WELL), _model(SEES) | {"capabilities": ["vision"]}, _model(NATIVE, "ollama"),
        _model(EMBED, kind="embedding"), _model(RANK, kind="rerank"), _model(WIDE), _model(FLOOD),
        *[_model(name, "speaches", "transcription") | {"languages": ["en"]} for name in HEARING],
        *[_model(name, "piper", "speech") | {"voices": {"alloy": name}} for name in SPEAKING],
        *[_model(name) | {"capabilities": ["vision"]} for name in BAD],
    ]  # fmt: skip
    models += [_model(name) for name in addressed]
    apps: list[dict[str, Any]] = [
        {"name": HARM, "models": ["*"], "parallel_requests": PARALLEL},
        {"name": OTHERS, "models": ["*"]},
        {"name": BATCH, "models": ["*"], "priority": "batch"},
    ]
    told = gateway_config.gateway(models, [], apps, known, settings)
    for model in told["models"]:
        if model["name"] in addressed:
            at_arbiter = model["name"] == ARBITRATED
            model |= {"url": addressed[model["name"]], "via_arbiter": at_arbiter}
        engine = DEAF if model["name"] == QUEUED else model["name"]
        if engine in BEHAVIOURS:
            model |= {"url": f"{addresses[engine]}/v1", "via_arbiter": False}
        elif model["engine"] == "vllm":
            model["via_arbiter"] = False
    return told


def _model(name: str, engine: str = "vllm", kind: str = "chat") -> dict[str, Any]:
    return {"name": name, "engine": engine, "kind": kind, "fallbacks": [], "source": name}
