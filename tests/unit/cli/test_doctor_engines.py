"""What the engines need of the cluster: the GPU, offered often enough, to pods that see it.

Of the acceptance lines: 9 (a device plugin without the runtime), 10 (as many shares as engines).
"""

from types import SimpleNamespace
from typing import Any

import pytest

from synapse_cli.cluster import Cluster
from synapse_cli.doctor.engines import device_plugin, running, runtime_class, shares


def nodes(*allocatable: dict[str, str]) -> Cluster:
    """A cluster without a network, whose nodes offer this."""
    made = Cluster.__new__(Cluster)
    items = [SimpleNamespace(status=SimpleNamespace(allocatable=one)) for one in allocatable]
    made.core = SimpleNamespace(list_node=lambda **_: SimpleNamespace(items=items))
    return made


@pytest.mark.parametrize("offered", ["3", "8"])
def test_a_gpu_offered_often_enough_is_well(offered: str) -> None:
    finding = shares(nodes({"cpu": "8", "nvidia.com/gpu": offered}), 3)
    assert (finding.seen, finding.remedy) == (f"{offered} for 3 models", "")


def test_a_gpu_offered_too_seldom_is_told_with_the_number_to_set() -> None:
    finding = shares(nodes({"nvidia.com/gpu": "1"}, {"cpu": "8"}), 3)
    assert finding.seen == "1 for 3 models"
    assert "3 models of engine vllm, but the device plugin offers only 1 of" in finding.remedy
    assert "sharing.timeSlicing to 3 or more" in finding.remedy


@pytest.mark.parametrize("allocatable", [{"cpu": "8"}, {"nvidia.com/gpu": "0"}, None])
def test_a_gpu_that_nobody_offers_is_told_with_both_ways_out(allocatable: Any) -> None:
    remedy = shares(nodes(allocatable), 3).remedy
    assert "No node offers nvidia.com/gpu" in remedy
    assert "take synapse_gpus out of platform.yml" in remedy


@pytest.mark.parametrize(
    ("version", "seen", "remedy"),
    [
        ("0.32.0", "0.32.0", ""),
        ("0.1.dev19754+g3a0914114", "0.1.dev19754+g3a0914114", ""),
        ("", "does not answer yet", ""),
        ("0.31.1", "0.31.1", "vLLM 0.31.1, and Synapse needs 0.32 at least"),
    ],
)
def test_an_engine_that_is_too_old_is_told(
    monkeypatch: pytest.MonkeyPatch, version: str, seen: str, remedy: str
) -> None:
    monkeypatch.setattr("synapse_cli.doctor.engines.versions", lambda _: {"vllm-big-0": version})
    (finding,) = running(Cluster.__new__(Cluster))
    assert (finding.what, finding.seen) == ("vllm-big-0", seen)
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


def plugin(runtime: str | None, image: str = "nvcr.io/nvidia/k8s-device-plugin:v0.20.0") -> Cluster:
    """A cluster with one DaemonSet of this image and runtime."""
    made = Cluster.__new__(Cluster)
    pod = SimpleNamespace(containers=[SimpleNamespace(image=image)], runtime_class_name=runtime)
    one = SimpleNamespace(
        metadata=SimpleNamespace(namespace="kube-system", name="nvidia-device-plugin"),
        spec=SimpleNamespace(template=SimpleNamespace(spec=pod)),
    )
    listing = SimpleNamespace(items=[one])
    made.apps = SimpleNamespace(list_daemon_set_for_all_namespaces=lambda **_: listing)
    return made


def test_a_device_plugin_without_the_runtime_is_told_with_the_command() -> None:
    (finding,) = device_plugin(plugin(None))
    assert finding.seen == "kube-system/nvidia-device-plugin"
    assert "no runtimeClassName" in finding.remedy
    assert "kubectl -n kube-system patch daemonset nvidia-device-plugin" in finding.remedy


def test_a_device_plugin_with_the_runtime_is_well_and_other_daemons_are_not_looked_at() -> None:
    (finding,) = device_plugin(plugin("nvidia"))
    assert not finding.remedy
    assert not [*device_plugin(plugin(None, image="fluent-bit:5"))]


@pytest.mark.parametrize(("there", "seen"), [(object(), "nvidia"), (None, "none")])
def test_a_runtime_that_the_cluster_does_not_know_is_told(
    monkeypatch: pytest.MonkeyPatch, there: object, seen: str
) -> None:
    monkeypatch.setattr(Cluster, "find", lambda *_, **__: there)
    finding = runtime_class(Cluster.__new__(Cluster), "nvidia")
    assert finding.seen == seen
    assert ("systemctl restart k3s" in finding.remedy) == (there is None)
