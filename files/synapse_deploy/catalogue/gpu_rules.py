"""Rules about the GPU that its models share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_common.engines import is_on_gpu
from synapse_deploy.catalogue.facts import SLEEPING_GIB
from synapse_deploy.catalogue.memory import GROWTH, loading_gib, number, weights_gib
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
        for model in on_gpu:
            yield from _room(model, len(on_gpu) - 1, entries[0])


def _room(model: Placed, others: int, gpu: Mapping[str, Any]) -> Found:
    """Awake and while it is loaded, a model has what the others asleep leave of the GPU."""
    offered = number(gpu.get("vram_gib"))
    sleeping = number(gpu.get("sleeping_gib", SLEEPING_GIB))
    needed, loading = number(model.entry.get("vram_gib")), round(loading_gib(model.entry), 2)
    beside = f", and {others} asleep beside it keep {sleeping:g} each" if others else ""
    in_all, peak = (round(one + others * sleeping, 3) for one in (needed, loading))
    if needed > offered > 0:
        yield (
            (*model.path, "vram_gib"),
            f"{needed:g} is more than the GPU has, {offered:g} (synapse_gpus); take a smaller "
            "model or quantization",
        )
    elif in_all > offered > 0:
        yield (
            (*model.path, "vram_gib"),
            f"{needed:g} awake{beside}: {in_all:g}, but the GPU has {offered:g} "
            "(synapse_gpus); make it smaller, or take out a GPU model",
        )
    elif peak > offered > 0 and "loading_gib" in model.entry:
        yield (
            (*model.path, "loading_gib"),
            f"{loading:g} while it loads{beside}: {peak:g}, but the GPU has {offered:g} "
            "(synapse_gpus); take a smaller model or quantization, or take out a GPU model",
        )
    elif peak > offered > 0:
        yield (
            (*model.path, "source"),
            f"is NVFP4 with experts, which needs {GROWTH:g} times its {weights_gib(model.entry):g} "
            f"while it loads with sleep mode (an estimate){beside}: {peak:g}, but the GPU has "
            f"{offered:g} (synapse_gpus); write moe-backend: marlin, take another quantization, "
            "or write into loading_gib what you saw it take",
        )


def _cache(model: Placed) -> Found:
    whole, cache = (number(model.entry.get(key)) for key in ("vram_gib", "kv_cache_gib"))
    if 0 < whole <= cache:
        yield (
            (*model.path, "kv_cache_gib"),
            f"{cache:g} leaves nothing of vram_gib {whole:g} for the weights; vram_gib is all "
            "that the model takes, its cache included",
        )
