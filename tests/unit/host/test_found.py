"""What a server has becomes what its site would type."""

from dataclasses import replace
from typing import Any

import pytest

from host_facts_of import CARD, forge, with_driver, with_system
from synapse_host.found import found, vram_gib


def test_a_server_with_one_gpu() -> None:
    assert found(forge(), "forge", {}).values == {
        "synapse_kubeconfig": "~/.kube/synapse/forge.yaml",
        "synapse_memory_gib": 188,
        "synapse_cpu_cores": 28,
        "synapse_gpus": [{"vram_gib": 31.3}],
    }


@pytest.mark.parametrize(
    ("total_mib", "reserved_mib", "usable_gib"),
    [(32607, 484, 31.3), (24564, 0, 23.5), (24576, 300, 23.7)],
)
def test_programs_get_what_the_driver_does_not_keep(
    total_mib: int, reserved_mib: int, usable_gib: float
) -> None:
    assert vram_gib(replace(CARD, memory_mib=total_mib, reserved_mib=reserved_mib)) == usable_gib


@pytest.mark.parametrize(("cores", "given"), [(32, 28), (16, 12), (8, 4), (6, 3), (2, 1), (1, 1)])
def test_models_on_the_cpu_get_most_cores(cores: int, given: int) -> None:
    values = found(with_system(forge(), cores=cores), "forge", {}).values
    assert values["synapse_cpu_cores"] == given


def test_of_several_gpus_the_largest_is_named_by_its_uuid() -> None:
    small = replace(CARD, name="RTX 3060", uuid="GPU-2", memory_mib=12288)
    told = found(with_driver(forge(), cards=(small, CARD)), "forge", {})
    assert told.values["synapse_gpus"] == [{"vram_gib": 31.3, "uuid": CARD.uuid}]
    (note,) = told.notes
    assert note.startswith("Of 2 GPUs (RTX 3060, NVIDIA GeForce RTX 5090) Synapse serves one, NVI")


def test_a_gpu_in_parts_is_left_alone() -> None:
    told = found(with_driver(forge(), cards=(replace(CARD, mig=True),)), "forge", {})
    assert "synapse_gpus" not in told.values
    assert "(MIG)" in told.notes[0]


@pytest.mark.parametrize("before", [{}, {"synapse_gpus": [{"vram_gib": 31.3}]}])
def test_a_gpu_whose_driver_is_silent_is_not_gone(before: dict[str, Any]) -> None:
    told = found(with_driver(forge(), cards=(), error="No devices were found"), "forge", before)
    assert told.values.get("synapse_gpus") == before.get("synapse_gpus")
    (note,) = told.notes
    assert "does not tell its memory (No devices were found): `make doctor` says" in note


def test_a_server_without_a_gpu_has_none() -> None:
    server = replace(with_driver(forge(), cards=()), gpus=())
    told = found(server, "forge", {"synapse_gpus": [{"vram_gib": 31.3}]})
    assert "synapse_gpus" not in told.values
    assert told.notes == ()
