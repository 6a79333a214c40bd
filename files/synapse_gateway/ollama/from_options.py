"""Ollama's options in the names of OpenAI-compatible engines."""

from __future__ import annotations

from typing import Any

from synapse_gateway.ollama.asked import Asked, unsupported

LOADING = (
    "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock",
    "low_vram", "numa", "f16_kv", "vocab_only",
)  # fmt: skip
"""How a model is loaded: here the operator's catalogue says it."""
WITHOUT_EFFECT = (
    "num_keep", "mirostat", "mirostat_eta", "mirostat_tau", "tfs_z", "penalize_newline",
)  # fmt: skip
"""Nothing is shifted out here, so nothing is kept; the rest Ollama itself no longer knows."""
NUMBERS: dict[str, tuple[float, float]] = {
    "temperature": (0, 1e9), "top_p": (0, 1), "min_p": (0, 1),
    "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2),
}  # fmt: skip
"""The numbers that both sides call the same, with what they may be."""
SAMPLING = (
    *NUMBERS, "top_k", "typical_p", "repeat_penalty", "repeat_last_n", "seed", "stop",
    "num_predict",
)  # fmt: skip
REPEAT_LAST_N = 64
"""How many tokens Ollama looks back for repetitions, where nobody says it."""


def options(given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the sampling fields, and the names of the options that are not followed here."""
    asked = Asked(given, "options")
    found: dict[str, Any] = {name: asked.number(name, *limits) for name, limits in NUMBERS.items()}
    found["top_k"] = asked.integer("top_k")
    found["repetition_penalty"] = asked.number("repeat_penalty", 0)
    seed, limit = asked.integer("seed"), asked.integer("num_predict")
    # What Ollama takes for "any" and for "no limit".
    found["seed"] = None if seed == -1 else seed
    found["max_tokens"] = limit if limit and limit > 0 else None
    found["stop"] = asked.texts("stop") or None
    asked.only("typical_p", (1,), "its engine has no such option. Leave it out.")
    why = "its engine looks back over the whole answer. Leave it out."
    asked.only("repeat_last_n", (REPEAT_LAST_N, -1), why)
    ignored = not_followed(asked)
    return {name: value for name, value in found.items() if value is not None}, ignored


def not_followed(asked: Asked) -> tuple[str, ...]:
    """Return the names of the options that nobody follows here; refuse those that nobody knows."""
    names = (*LOADING, *WITHOUT_EFFECT)
    ignored = tuple(asked.path(name) for name in names if asked.take(name) is not None)
    for path in asked.left():
        raise unsupported(path, "no engine has such an option.")
    return ignored
