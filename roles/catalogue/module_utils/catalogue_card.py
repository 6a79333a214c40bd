"""Rules about the graphics card that models of engine vllm share; each returns sentences."""

from __future__ import annotations

from typing import Any

from catalogue_resolved import SLEEPER_GIB, stand_in
from catalogue_shape import Entry


def check_card(models: dict[str, Entry], gpus: list[Entry]) -> list[str]:
    """Each vllm model fits the card beside the others asleep, or has a stand-in without a card."""
    on_card = {name: model for name, model in models.items() if model.get("engine") == "vllm"}
    found = [text for name, model in on_card.items() for text in _check_cache(name, model)]
    if not gpus:
        return found + [
            f"model {name}: needs a GPU, but synapse_gpus is empty and none of its fallbacks "
            "works without one"
            for name in on_card
            if stand_in(name, models) is None
        ]
    gpu = gpus[0]
    offered = _number(gpu.get("vram_gib"))
    sleeper = _number(gpu.get("sleeper_gib", SLEEPER_GIB))
    others = len(on_card) - 1
    for name, model in on_card.items():
        needed = _number(model.get("vram_gib"))
        in_all = round(needed + others * sleeper, 3)
        if needed > offered > 0:
            found.append(
                f"model {name}: needs {needed:g} GiB, the card has {offered:g} (synapse_gpus)"
            )
        elif in_all > offered > 0:
            found.append(
                f"model {name}: needs {needed:g} GiB awake, and {others} asleep beside it keep "
                f"{sleeper:g} each, {in_all:g} in all; the card has "
                f"{offered:g} (synapse_gpus)"
            )
    return found


def _check_cache(name: str, model: Entry) -> list[str]:
    whole, cache = _number(model.get("vram_gib")), _number(model.get("kv_cache_gib"))
    if not 0 < whole <= cache:
        return []
    return [
        f"model {name}: kv_cache_gib {cache:g} leaves nothing of vram_gib {whole:g} for the "
        "weights; vram_gib is all that the model takes, its cache included"
    ]


def _number(value: Any) -> float:
    """Return a number, or 0 for what the check of shapes complains about already."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
