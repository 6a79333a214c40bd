"""A site whose first answer waits for a large download is told so; the examples need no telling."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_deploy.catalogue import check, resolve
from synapse_ollama.order import STARTER_GIB, size_gib, starter_of

EXAMPLES = sorted((Path(__file__).parents[3] / "inventory/examples").glob("[!.]*/"))


def model(name: str, engine: str = "ollama", **given: Any) -> dict[str, Any]:
    return {"name": name, "engine": engine, "source": f"{name}:1b", **given}


def told(*models: dict[str, Any], **site: Any) -> list[str]:
    found = check.warnings({"synapse_models": list(models), **site})
    return [one.text for one in found if "first answer" in one.text]


def test_a_large_smallest_model_is_named() -> None:
    (text,) = told(model("large", disk_gib=18), model("larger", disk_gib=24))
    assert "large with 18 GiB" in text


@pytest.mark.parametrize(
    "small", [{"disk_gib": 5}, {}, {"source": "file:own.gguf", "disk_gib": 40}]
)
def test_a_small_one_an_unknown_one_and_a_file_are_well(small: dict[str, Any]) -> None:
    assert told(model("large", disk_gib=18), model("small", **small)) == []


def test_a_site_that_chats_on_the_gpu_alone_is_told() -> None:
    of_gpu = model("big", "vllm", source="owner/big", vram_gib=20, kv_cache_gib=2)
    assert told(of_gpu) == []
    (text,) = told(of_gpu, synapse_gpus=[{"vram_gib": 31}])
    assert "the first answer waits for a model of the GPU" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_answers_after_five_gib(example: Path) -> None:
    written = yaml.safe_load((example / "group_vars/all/models.yml").read_text())
    models = resolve.resolve(written["synapse_models"], [])
    of_ollama = [one for one in models if one["engine"] == "ollama"]
    starter = next(one for one in of_ollama if one["name"] == starter_of(of_ollama))
    assert size_gib(starter) <= STARTER_GIB
