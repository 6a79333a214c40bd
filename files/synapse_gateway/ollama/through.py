"""Native requests to a model that is on Ollama: they pass, within what the gateway allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_gateway import errors
from synapse_gateway.ollama import from_options
from synapse_gateway.ollama.asked import Asked

_TEMPLATE = "the model has its own template. Leave it out, or send raw: true."
_ANSWER = ("stream", "format", "think", "logprobs", "top_logprobs")
_FIELDS = {
    "/api/chat": ("messages", "tools", *_ANSWER),
    "/api/generate": ("prompt", "suffix", "system", "context", "raw", "images", *_ANSWER),
    "/api/embed": ("input", "dimensions"),
    "/api/embeddings": ("prompt",),
}
_SWITCHES = {
    "/api/chat": {"truncate": False, "shift": False},
    "/api/generate": {"truncate": False, "shift": False},
    "/api/embed": {"truncate": False},
    # It refuses what is too long without being told.
    "/api/embeddings": {},
}


def native_through(
    path: str, body: Mapping[str, Any], served_name: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the request as the engine shall see it, and the names of what it shall not see."""
    asked = Asked(body)
    if not asked.text("model") and not asked.text("name"):
        raise errors.malformed("'model' must name a model.", "model")
    asked.only("template", ("",), _TEMPLATE)
    asked.only("_debug_render_only", (False,), "prompts are not shown here.")
    for name in ("truncate", "shift"):
        asked.only(name, (True, False), "it must be true or false.")
    if not isinstance(body.get("stream"), bool | None):
        raise asked.wrong("stream", "true or false")
    options, ignored = _options(asked.mapping("options") or {})
    kept = {name: asked.take(name) for name in _FIELDS[path]}
    told = {"model": served_name} | {key: value for key, value in kept.items() if value is not None}
    told |= _SWITCHES[path] | ({"options": options} if options else {})
    cut = [name for name in ("truncate", "shift") if body.get(name) is True]
    return told, (*asked.left(), *cut, *ignored)


def _options(given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Keep what steers the answer; Ollama itself would answer a wrong type with status 500."""
    asked = Asked(given, "options")
    kept: dict[str, Any] = {
        name: asked.number(name, *limits) for name, limits in from_options.NUMBERS.items()
    }
    kept |= {name: asked.number(name, 0) for name in ("typical_p", "repeat_penalty")}
    kept |= {name: asked.integer(name) for name in ("top_k", "repeat_last_n", "seed")}
    kept["num_predict"] = asked.integer("num_predict")
    kept["stop"] = asked.texts("stop")
    if kept["stop"] and "" in kept["stop"]:
        raise asked.wrong("stop", "a list of texts, none of them empty")
    ignored = from_options.not_followed(asked)
    return {name: value for name, value in kept.items() if value is not None}, ignored
