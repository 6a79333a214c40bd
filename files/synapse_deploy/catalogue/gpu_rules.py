"""Rules about the GPU that its models share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.engines import is_on_gpu
from synapse_deploy.catalogue.facts import SLEEPING_GIB
from synapse_deploy.catalogue.resolve import cpu_fallback
from synapse_deploy.catalogue.rules import Found, Placed, named


def gpus(site: Mapping[str, Any]) -> Found:
    """There is one GPU at most, and each of its models fits beside the others asleep."""
    listed = site.get("synapse_gpus")
    entries = listed if isinstance(listed, list) else []
    models = named(site, "synapse_models")
    on_gpu = [model for model in models.values() if is_on_gpu(model.entry.get("engine"))]
    for model in on_gpu:
        yield from _cache(model)
    if len(entries) > 1:
        yield (
            ("synapse_gpus",),
            f"names {len(entries)} GPUs; the arbiter serves one so far: keep one",
        )
    if not entries:
        by_name = {name: model.entry for name, model in models.items()}
        for model in on_gpu:
            if cpu_fallback(model.entry["name"], by_name) is None:
                yield (
                    model.path,
                    "needs a GPU, but synapse_gpus is empty and none of its fallbacks works "
                    "without one; name the GPU, add a fallback, or take the model out",
                )
    elif isinstance(entries[0], dict):
        yield from _room(on_gpu, entries[0])


def _room(on_gpu: list[Placed], gpu: Mapping[str, Any]) -> Found:
    offered = _number(gpu.get("vram_gib"))
    sleeping = _number(gpu.get("sleeping_gib", SLEEPING_GIB))
    others = len(on_gpu) - 1
    for model in on_gpu:
        needed = _number(model.entry.get("vram_gib"))
        in_all = round(needed + others * sleeping, 3)
        place = (*model.path, "vram_gib")
        if needed > offered > 0:
            yield (
                place,
                f"{needed:g} is more than the GPU has, {offered:g} (synapse_gpus); take a smaller "
                "model or quantization",
            )
        elif in_all > offered > 0:
            yield (
                place,
                f"{needed:g} awake, and {others} asleep beside it keep {sleeping:g} each: "
                f"{in_all:g}, but the GPU has {offered:g} (synapse_gpus); make it smaller, or take "
                "out a GPU model",
            )


def _cache(model: Placed) -> Found:
    whole, cache = (_number(model.entry.get(key)) for key in ("vram_gib", "kv_cache_gib"))
    if 0 < whole <= cache:
        yield (
            (*model.path, "kv_cache_gib"),
            f"{cache:g} leaves nothing of vram_gib {whole:g} for the weights; vram_gib is all "
            "that the model takes, its cache included",
        )


def _number(value: Any) -> float:
    """Return a number, or 0 for what is a fault of its own already."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
