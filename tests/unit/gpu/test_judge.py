"""What pods tell of the GPU, and what is made of those that tell nothing."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.gpu import judge

Object = dict[str, Any]
UUID = "GPU-5e3a1c1e-0b7f-4d5c-9c0e-2f6b8d1a7e90"
LOG = f"""NVIDIA GeForce RTX 5090, {UUID}, 32607, 595.84
| NVIDIA-SMI 595.84       Driver Version: 595.84       CUDA Version: 13.2     |
SEEN
"""


def test_a_pod_tells_name_memory_driver_and_cuda() -> None:
    (card,) = judge.seen(LOG)
    assert str(card) == "NVIDIA GeForce RTX 5090, 31.8 GiB, driver 595.84, CUDA 13.2"
    assert card.uuid == UUID


def test_newer_drivers_name_cuda_otherwise() -> None:
    (card,) = judge.seen(LOG.replace("CUDA Version", "CUDA UMD Version"))
    assert card.cuda == "13.2"


def test_a_driver_that_names_no_cuda_is_shown_all_the_same() -> None:
    (card,) = judge.seen(f"Some GPU, {UUID}, 8192, 595.84\nSEEN\n")
    assert str(card).endswith("CUDA unknown")


@pytest.mark.parametrize("log", ["", LOG.replace("SEEN\n", ""), "SEEN\n", "No devices\nSEEN"])
def test_a_pod_that_has_not_told_all_has_told_nothing(log: str) -> None:
    assert judge.seen(log) == ()


def ended(**terminated: Any) -> Object:
    return {
        "status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": terminated}}]}
    }


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch\n", "reboot the server"),
        ("Failed to initialize NVML: Unknown Error\n", "make site sets the toolkit to CDI"),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
         "no module of the driver is loaded"),
        ("sh: 2: nvidia-smi: not found\n", "the runtime has put nothing of the driver into"),
        ("something new\n", 'A pod with the GPU said "something new".'),
        ("", "ended without a word: OOMKilled"),
    ],
)  # fmt: skip
def test_what_a_failed_pod_said_is_explained(log: str, told: str) -> None:
    assert told in judge.why_failed(ended(reason="OOMKilled"), log)


def scheduled(message: str) -> Object:
    condition = {"type": "PodScheduled", "status": "False", "message": message}
    return {"status": {"phase": "Pending", "conditions": [condition]}}


def waiting(reason: str, message: str) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"status": {"phase": "Pending", "containerStatuses": [{"state": state}]}}


def test_what_pods_wait_for_is_said_once() -> None:
    full = scheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    told = judge.why_waiting([full, full, {"status": {"phase": "Running"}}], [], 3, 600)
    assert told == (
        "1 of 3 pods with a GPU ran at the same time within 600 s. Not scheduled: 0/1 nodes are "
        "available: 1 Insufficient nvidia.com/gpu."
    )


def test_a_container_that_cannot_be_made_says_why() -> None:
    told = judge.why_waiting([waiting("ErrImagePull", "no such host")], [], 1, 60)
    assert told.endswith("ErrImagePull: no such host.")
    assert judge.why_waiting([], [], 2, 60).endswith("Nothing says why.")
