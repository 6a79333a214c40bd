"""What a model of the GPU takes beside its size awake: the server's memory, room to be loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]

ALLOCATOR = "PYTORCH_ALLOC_CONF"
EXACT_PINS = "pinned_max_round_threshold_mb:1"
"""Lets torch pin memory as asked for; without it every block grows to the next power of two."""
ROUNDED = 2.0
"""Times its weights that a sleeping model takes of the server at most (pytorch #150517)."""
EXACT = 1.15
"""The same where torch rounds nothing: the weights, and a margin, because a block that was freed
serves smaller ones later."""
EXACT_SINCE = (0, 33)
"""The vLLM whose torch (2.14) can do that: older ones hand out freed blocks that are too small, and
every sleep after the first wake fails (pytorch #192722)."""
# The weights lie in blocks of 2 MiB and more, most of them in blocks of 20 MiB.
LARGEST_ROUNDED_MB = 16
THRESHOLD = re.compile(r"\bpinned_max_round_threshold_mb:(\d+)")

GROWTH = 1.57
"""Times its weights that an NVFP4 model with experts takes of the GPU while it loads with sleep
mode: an estimate after one that was measured, 9.18 -> 14.44 GiB on SM120 (vllm #48680, #49151).
Each layer is replaced by a larger one, and the pool that can sleep gives nothing back meanwhile.
Marlin's kernels replace a layer by one of the same size, so that the next one takes its room."""
# Models with experts are named after all their parameters and those that work: 35B-A3B.
EXPERTS = re.compile(r"\bA\d+(\.\d+)?B\b", re.IGNORECASE)


def number(value: Any) -> float:
    """Return a number, or 0 for what is a fault of its own already."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def weights_gib(model: Entry) -> float:
    """Return what a model takes of the GPU without its contexts."""
    return number(model.get("vram_gib")) - number(model.get("kv_cache_gib"))


def pins_exactly(model: Entry) -> bool:
    """Tell whether the engine's torch is told not to round what it pins."""
    told = THRESHOLD.search(str(_inner(model, "environment").get(ALLOCATOR, "")))
    return told is not None and int(told[1]) <= LARGEST_ROUNDED_MB


def copies(model: Entry) -> float:
    """Return how many times its weights a model takes of the server, asleep and ever after."""
    return EXACT if pins_exactly(model) else ROUNDED


def copy_gib(model: Entry) -> float:
    """Return what the copy of a sleeping model takes of the server's memory."""
    return weights_gib(model) * copies(model)


def grows(model: Entry) -> bool:
    """Tell whether a model takes more of the GPU while it loads than afterwards."""
    source, options = str(model.get("source", "")), _inner(model, "engine_args")
    fp4 = "nvfp4" in source.lower() or options.get("quantization") == "modelopt_fp4"
    return fp4 and bool(EXPERTS.search(source)) and options.get("moe-backend") != "marlin"


def loading_gib(model: Entry) -> float:
    """Return what a model takes of the GPU while it loads: as measured, else an estimate."""
    estimate = weights_gib(model) * (GROWTH if grows(model) else 1)
    return number(model.get("loading_gib")) or estimate


def _inner(model: Entry, key: str) -> Entry:
    inner = model.get(key)
    return inner if isinstance(inner, Mapping) else {}
