"""Who offers the GPU, how often, and why it is not offered."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.gpu import offer
from synapse_deploy.kube.manifests import OWNER_LABEL

Object = dict[str, Any]


def daemonset(name: str, image: str, *, owner: str = "", runtime: str | None = "nvidia") -> Object:
    pod: Object = {"containers": [{"name": "plugin", "image": image}]}
    if runtime:
        pod["runtimeClassName"] = runtime
    labels = {OWNER_LABEL: owner} if owner else {}
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {"template": {"spec": pod}},
    }


OURS = daemonset("nvidia-device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.20.0",
                 owner="device-plugin")  # fmt: skip
THEIRS = daemonset("nvidia-device-plugin-daemonset", "nvcr.io/nvidia/k8s-device-plugin:v0.17.1")
WITHOUT_RUNTIME = daemonset("theirs", "mirror.lan/nvidia/k8s-device-plugin:v1", runtime=None)
OTHER = daemonset("svclb", "rancher/klipper-lb:v0.4")


def node(times: str | None) -> Object:
    return {"status": {"allocatable": {"cpu": "8"} | ({offer.SHARE: times} if times else {})}}


def pod(*, shares: int, phase: str = "Running", placed: bool = True) -> Object:
    limits = {"cpu": "1"} | ({offer.SHARE: str(shares)} if shares else {})
    spec: Object = {"containers": [{"resources": {"limits": limits}}, {}]}
    return {"spec": spec | ({"nodeName": "forge"} if placed else {}), "status": {"phase": phase}}


def test_a_device_plugin_of_somebody_else_is_told_from_ours() -> None:
    assert offer.plugins([OURS, OTHER, THEIRS]) == [OURS, THEIRS]
    assert offer.of_others([OURS, OTHER, THEIRS, WITHOUT_RUNTIME]) == [THEIRS, WITHOUT_RUNTIME]
    assert offer.named(THEIRS) == "DaemonSet nvidia-device-plugin-daemonset in kube-system"


def test_the_gpu_is_counted_over_all_nodes() -> None:
    assert offer.offered([node("9"), node(None), {"status": {}}, node("2")]) == 11


def test_shares_are_taken_by_pods_that_run_or_are_about_to() -> None:
    pods = [
        pod(shares=1),
        pod(shares=1, phase="Pending"),
        pod(shares=1, phase="Succeeded"),
        pod(shares=1, phase="Pending", placed=False),
        pod(shares=0),
    ]
    assert offer.taken(pods) == 2


@pytest.mark.parametrize(
    ("daemonsets", "has", "told"),
    [
        ([OTHER], 0, "there is no device plugin of NVIDIA in the cluster"),
        ([WITHOUT_RUNTIME], 0, "theirs in kube-system runs without runtimeClassName: nvidia"),
        ([WITHOUT_RUNTIME], 0, "`kubectl patch -n kube-system daemonset theirs -p '{"),
        ([THEIRS], 1, "offers nvidia.com/gpu 1 times, and the catalogue has 7 models"),
        ([THEIRS], 0, 'no node offers nvidia.com/gpu. Its last words: "Failed to initialize NVML"'),
        ([OURS], 0, "DaemonSet nvidia-device-plugin in kube-system runs, and no node offers"),
    ],
)
def test_the_reason_is_said_instead_of_a_number(
    daemonsets: list[Object], has: int, told: str
) -> None:
    words = {THEIRS["metadata"]["name"]: "Failed to initialize NVML"}
    assert told in offer.why_not_offered(daemonsets, 7, has, words)
