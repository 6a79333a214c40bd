"""Pods try the GPU at the same time, on a cluster in memory with virtual time."""

from __future__ import annotations

import pytest

from synapse_deploy.gpu import check, offer, waiting
from synapse_deploy.gpu.check import Gpu, GpuError, Limits
from tests.unit.gpu.fake_gpu import Clock, Cluster
from tests.unit.gpu.test_offer import OURS, WITHOUT_RUNTIME, node, pod

LIMITS = Limits(offer_s=60, check_s=120)
JOB_PATH = "/batch/v1/Job/plugin/gpu-check"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(check, "time", made)
    monkeypatch.setattr(waiting, "time", made)
    monkeypatch.setattr(check, "pods_of", lambda *_: [])  # nobody has said anything
    return made


@pytest.fixture
def said() -> list[str]:
    return []


def gpu(cluster: Cluster, said: list[str] | None = None) -> Gpu:
    return Gpu(cluster, (said if said is not None else []).append)  # type: ignore[arg-type]


def tried(cluster: Cluster, engines: int = 7) -> list[str]:
    return gpu(cluster).try_it("plugin", "python:3", engines, LIMITS)


def test_two_pods_see_the_gpu_at_the_same_time(clock: Clock) -> None:
    cluster = Cluster()
    assert tried(cluster) == [
        "NVIDIA GeForce RTX 5090, 31.8 GiB, driver 595.84, CUDA 13.2",
        "2 pods saw it at the same time. It is offered 9 times, for 7 engines.",
    ]
    assert cluster.calls[-1] == f"DELETE {JOB_PATH}"
    assert cluster.tried == []


def test_a_try_that_was_cut_off_is_cleared_away_first(clock: Clock) -> None:
    cluster = Cluster()
    cluster.tried = [{"metadata": {"name": "old"}}]
    assert "2 pods" in tried(cluster)[-1]


@pytest.mark.parametrize(("busy", "told"), [(8, "One pod saw it"), (9, "no pod was tried")])
def test_engines_keep_their_shares(clock: Clock, busy: int, told: str) -> None:
    cluster = Cluster()
    cluster.pods = [pod(shares=1)] * busy
    assert told in tried(cluster)[-1]


def test_the_offer_is_waited_for(clock: Clock) -> None:
    cluster = Cluster()
    cluster.nodes = [node(None)]
    clock.events[20] = lambda: cluster.nodes.append(node("9"))
    tried(cluster)
    assert clock.now_s == 20


def test_a_plugin_without_the_runtime_is_named_within_the_limit(clock: Clock) -> None:
    cluster = Cluster()
    cluster.nodes, cluster.daemonsets = [node(None)], [WITHOUT_RUNTIME]
    with pytest.raises(GpuError, match="without runtimeClassName: nvidia"):
        tried(cluster)
    assert clock.now_s == LIMITS.offer_s
    assert not [call for call in cluster.calls if call.startswith("POST")]


def test_too_few_shares_of_somebody_elses_plugin_are_named(clock: Clock) -> None:
    cluster = Cluster()
    cluster.nodes = [node("1")]
    with pytest.raises(GpuError, match="1 times"):
        tried(cluster)


def test_a_pod_that_fails_ends_the_wait_at_once_and_is_removed(clock: Clock) -> None:
    cluster = Cluster()
    cluster.phase, cluster.log = "Failed", "Failed to initialize NVML: Unknown Error"
    with pytest.raises(GpuError, match="Unknown Error"):
        tried(cluster)
    assert clock.now_s == 0
    assert cluster.tried == []


def test_shares_that_go_as_the_plugin_starts_anew_are_asked_for_again(clock: Clock) -> None:
    cluster = Cluster()
    cluster.rejects = True
    clock.events[3] = lambda: setattr(cluster, "rejects", False)
    assert "2 pods" in tried(cluster)[-1]
    assert clock.now_s == 3


def test_pods_that_are_always_rejected_are_given_up(clock: Clock) -> None:
    cluster = Cluster()
    cluster.rejects = True
    with pytest.raises(GpuError, match="Pod was rejected"):
        tried(cluster)
    assert clock.now_s == LIMITS.offer_s
    assert cluster.tried == []


def test_pods_that_never_run_are_given_up_and_removed(clock: Clock) -> None:
    cluster = Cluster()
    cluster.phase = "Pending"
    reason = {"reason": "FailedCreatePodSandBox", "message": 'no runtime for "nvidia"'}
    cluster.events = [reason]
    with pytest.raises(GpuError) as raised:
        tried(cluster)
    assert str(raised.value) == (
        "0 of 2 pods with a GPU ran at the same time within 120 s. "
        'FailedCreatePodSandBox: no runtime for "nvidia".'
    )
    assert clock.now_s == LIMITS.check_s
    assert cluster.tried == []


def test_the_runtime_is_waited_for_while_k3s_starts(clock: Clock, said: list[str]) -> None:
    cluster = Cluster()
    cluster.down, cluster.runtime_class = True, None

    def back() -> None:
        cluster.down = False

    clock.events[15] = back
    clock.events[25] = lambda: setattr(cluster, "runtime_class", {"handler": "nvidia"})
    gpu(cluster, said).wait_for_runtime_class(60)
    assert clock.now_s == 25
    assert said == [
        "waiting for the RuntimeClass nvidia of K3s (10 of 60 s)",
        "waiting for the RuntimeClass nvidia of K3s (20 of 60 s)",
    ]


def test_a_cluster_without_the_runtime_is_named(clock: Clock) -> None:
    cluster = Cluster()
    cluster.runtime_class = None
    with pytest.raises(GpuError, match="no RuntimeClass nvidia after 30 s"):
        gpu(cluster).wait_for_runtime_class(30)


def test_others_plugins_are_found_by_their_image() -> None:
    cluster = Cluster()
    cluster.daemonsets = [OURS, WITHOUT_RUNTIME]
    assert gpu(cluster).plugins_of_others() == [offer.named(WITHOUT_RUNTIME)]
