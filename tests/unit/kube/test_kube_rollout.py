"""When a workload is rolled out, when waiting is pointless, and what the operator is told."""

from typing import Any

import pytest

from synapse_deploy.kube.rollout import is_hopeless, missing, troubles, unready_containers

SLOW_KUBELET = {
    "reason": "CreateContainerConfigError",
    "message": "failed to sync secret cache: timed out waiting for the condition",
}


def deployment(**status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    return {
        "kind": "Deployment",
        "metadata": {"name": "ollama", "generation": 2},
        "spec": {"replicas": 1},
        "status": {**full, **status},
    }


def pod(ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    container = {"name": "ollama", "ready": ready, "restartCount": restarts, "state": state}
    return {"metadata": {"name": "ollama-1"}, "status": {"containerStatuses": [container]}}


def waiting(reason: str, restarts: int = 0) -> dict[str, Any]:
    return pod(restarts=restarts, waiting={"reason": reason, "message": "because"})


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ({}, 0),
        ({"observedGeneration": 1}, 1),
        ({"updatedReplicas": 0}, 2),
        ({"availableReplicas": 0}, 1),
        ({"replicas": 2}, 1),
    ],
    ids=["done", "not-seen-yet", "old-pod-only", "not-available", "old-pod-still-there"],
)
def test_rollout_is_done_when_only_new_pods_are_there_and_ready(
    status: dict[str, int], left: int
) -> None:
    assert missing(deployment(**status)) == left


def test_workload_without_a_status_is_not_rolled_out() -> None:
    assert missing({**deployment(), "status": {}}) == 1


@pytest.mark.parametrize(
    ("found", "hopeless"),
    [
        (waiting("ImagePullBackOff"), True),
        (waiting("CreateContainerConfigError"), True),
        (pod(waiting=SLOW_KUBELET), False),
        (waiting("ContainerCreating"), False),
        (waiting("CrashLoopBackOff", restarts=1), False),
        (waiting("CrashLoopBackOff", restarts=3), True),
        (pod(ready=True, running={}), False),
    ],
    ids=["image", "config", "slow-kubelet", "creating", "first-crash", "crash-loop", "ready"],
)
def test_only_what_cannot_start_is_hopeless(found: dict[str, Any], hopeless: bool) -> None:
    assert is_hopeless([found]) is hopeless


def test_troubles_name_pod_container_and_reason() -> None:
    unscheduled = {
        "metadata": {"name": "ollama-2"},
        "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "message": "no memory"}]
        },
    }
    refused = {"type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity"}
    pods = [waiting("ImagePullBackOff"), pod(running={"startedAt": "x"}), unscheduled]
    assert troubles(deployment(conditions=[refused]), pods) == [
        "ReplicaFailure: violates PodSecurity",
        "pod ollama-1, container ollama: ImagePullBackOff because",
        "pod ollama-1, container ollama: runs, but its probe does not pass",
        "pod ollama-2 is not scheduled: no memory",
    ]


def test_logs_are_read_from_containers_that_should_be_ready() -> None:
    done = pod(terminated={"exitCode": 0})
    assert unready_containers([pod(restarts=2, waiting={}), done, pod(ready=True)]) == [
        ("ollama-1", "ollama", True)
    ]
