"""What a component's deployment leaves behind when it succeeds, fails, or only looks."""

from typing import Any

import pytest

from synapse_deploy.kube.api import ApiError
from synapse_deploy.kube.deploy import deploy
from synapse_deploy.kube.manifests import OWNER_LABEL
from synapse_deploy.kube.sync import Sync
from synapse_deploy.kube.wait import RolloutError
from tests.unit.kube.cluster import FakeCluster
from tests.unit.kube.rollouts import (
    LIMIT_S,
    SPACE,
    Clock,
    pod,
    workload,
)

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models", "namespace": SPACE},
    "spec": {"volumeName": "disk"},
}
DISK = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "disk"},
    "spec": {"persistentVolumeReclaimPolicy": "Delete"},
}
FORMER = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "former", "namespace": SPACE, "labels": {OWNER_LABEL: "vllm"}},
}
ENGINE = workload("StatefulSet", "chat", ready=1, updateRevision="new")
LEFT = workload("StatefulSet", "left", ready=1)
LEFT["metadata"]["labels"] = {OWNER_LABEL: "vllm"}
LEFT_PATH = f"/{SPACE}/statefulsets/left"


@pytest.fixture
def cluster() -> FakeCluster:
    """A former configuration, an engine that left the catalogue, and a volume as it was made."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    return FakeCluster(space, CLAIM, DISK, FORMER, LEFT)


def run(cluster: Any, engine: dict[str, Any], *, check: bool = False) -> list[str]:
    sync = Sync(cluster, "vllm", SPACE, version="0.1.0", check=check)
    secrets = [{"name": "token", "keys": [{"name": "token"}]}]
    objects = [CLAIM, engine]
    wait_s = None if check else LIMIT_S
    deploy(cluster, sync, objects, secrets, wait_s=wait_s, say=lambda _: None)
    return sync.changes


def policy(cluster: FakeCluster) -> str:
    spec = cluster.objects["/persistentvolumes/disk"]["spec"]
    return str(spec["persistentVolumeReclaimPolicy"])


def test_success_keeps_volumes_and_removes_what_is_not_rendered(
    cluster: FakeCluster, clock: Clock
) -> None:
    run(cluster, ENGINE)
    assert policy(cluster) == "Retain"
    assert f"/{SPACE}/configmaps/former" not in cluster.objects
    assert LEFT_PATH not in cluster.objects
    assert f"/{SPACE}/secrets/token" in cluster.objects


def test_failed_rollout_keeps_volumes_and_what_the_old_pods_use(
    cluster: FakeCluster, clock: Clock
) -> None:
    cluster.put(pod("chat", "controller-revision-hash", "new"))
    with pytest.raises(RolloutError):
        run(cluster, workload("StatefulSet", "chat", updateRevision="new"))
    assert policy(cluster) == "Retain"
    assert f"/{SPACE}/configmaps/former" in cluster.objects


def test_workload_that_is_not_rendered_makes_room_before_the_others_are_waited_for(
    cluster: FakeCluster, clock: Clock
) -> None:
    def starts() -> None:
        if LEFT_PATH not in cluster.objects:
            cluster.put(ENGINE)

    clock.at(1.0, starts)
    run(cluster, workload("StatefulSet", "chat", updateRevision="new"))
    assert clock.now_s < LIMIT_S


def test_refused_object_removes_nothing(cluster: FakeCluster, clock: Clock) -> None:
    cluster.refuse = {"chat"}
    with pytest.raises(ApiError):
        run(cluster, ENGINE)
    assert LEFT_PATH in cluster.objects


def test_looking_writes_nothing_and_waits_for_nobody(cluster: FakeCluster, clock: Clock) -> None:
    changes = run(cluster, workload("StatefulSet", "chat"), check=True)
    assert cluster.writes == []
    assert [change for change in changes if change.startswith("remove")] == [
        "remove StatefulSet left",
        "remove ConfigMap former",
    ]
    assert clock.now_s == 0
