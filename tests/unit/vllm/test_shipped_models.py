"""The catalogue that is shipped for a 32 GB card adds up as its comment says."""

from pathlib import Path
from typing import Any

import yaml

from catalogue_check import problems
from catalogue_resolved import SLEEPER_GIB

FOLDER = Path(__file__).parents[3] / "group_vars/all"
TEXT = (FOLDER / "models.yml").read_text()
OVERHEAD_GIB = 10


def shipped() -> dict[str, Any]:
    texts = [
        (FOLDER / f"{name}.yml").read_text() for name in ("platform", "models", "aliases", "apps")
    ]
    return {name: value for text in texts for name, value in yaml.safe_load(text).items()}


def on_card() -> list[dict[str, Any]]:
    return [model for model in shipped()["synapse_models"] if model["engine"] == "vllm"]


def test_the_largest_model_has_the_room_that_the_comment_names() -> None:
    card_gib, others = shipped()["synapse_gpu"]["vram_gib"], len(on_card()) - 1
    room_gib = card_gib - others * SLEEPER_GIB
    assert f"{card_gib:g} - {others} * {SLEEPER_GIB:g} = {room_gib:g} GiB" in TEXT
    assert max(model["vram_gib"] for model in on_card()) <= room_gib


def test_the_pods_take_the_memory_that_the_comment_names() -> None:
    limits_gib = [model["vram_gib"] - model["kv_cache_gib"] + OVERHEAD_GIB for model in on_card()]
    *most, last = limits_gib
    listed = ", ".join(f"{gib:g}" for gib in most)
    text = TEXT.replace("\n# ", " ")
    assert f"{listed} and {last:g} GiB, {sum(limits_gib):g} together" in text
    defaults = (FOLDER.parents[1] / "roles/vllm/defaults/main.yml").read_text()
    assert yaml.safe_load(defaults)["vllm_overhead_gib"] == OVERHEAD_GIB


def test_the_store_holds_every_model() -> None:
    assert sum(model["disk_gib"] for model in on_card()) < shipped()["synapse_gpu_store_gib"]


def test_without_a_card_every_model_has_a_stand_in() -> None:
    assert problems(shipped() | {"synapse_gpu": None}) == []
