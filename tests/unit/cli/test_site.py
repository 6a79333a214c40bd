"""What the operator's commands know of the site that is deployed."""

from pathlib import Path
from typing import Any

import pytest

from synapse_cli.site import engines_on_gpu, read_site

ENGINE, SMALL = {"name": "big", "engine": "vllm"}, {"name": "small", "engine": "ollama"}


@pytest.mark.parametrize(
    ("site", "engines"),
    [
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": [ENGINE, SMALL, ENGINE]}, 2),
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": [SMALL]}, 0),
        ({"synapse_gpus": [], "synapse_models": [ENGINE]}, 0),
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": ["big", {}]}, 0),
        ({"synapse_gpus": [{"vram_gib": 32}]}, 0),
    ],
    ids=["two-engines", "no-engine", "no-gpu", "entries-with-faults", "no-catalogue"],
)
def test_only_engines_that_a_deployment_starts_need_a_share(
    site: dict[str, Any], engines: int
) -> None:
    assert engines_on_gpu(site) == engines


def test_the_site_is_read_from_the_inventory_that_is_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hosts.yml").write_text(
        "{all: {hosts: {localhost: {synapse_gpus: [], synapse_models: [{engine: vllm}]}}}}"
    )
    monkeypatch.setenv("ANSIBLE_INVENTORY", f"{tmp_path}/hosts.yml")
    assert engines_on_gpu(read_site()) == 0
    example = "inventory/common,inventory/examples/rtx5090"
    monkeypatch.setenv("ANSIBLE_INVENTORY", example)
    assert read_site()["synapse_gpus"] == [{"vram_gib": 31.4}]
