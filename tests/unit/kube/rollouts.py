"""Workloads and pods as a cluster lists them, and a clock whose sleeping lets things happen."""

from collections.abc import Callable
from typing import Any

from synapse_deploy.kube.wait import wait_for_rollouts

Object = dict[str, Any]

SPACE = "llm-infra"
LIMIT_S = 300
REVISION = "deployment.kubernetes.io/revision"


def workload(kind: str, name: str, *, ready: int = 0, **status: Any) -> Object:
    """One replica, whose newest revision the cluster has taken note of."""
    counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": ready}
    if kind == "DaemonSet":
        counts = {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": ready}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": SPACE, "uid": f"uid-{name}", "generation": 2},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}},
        "status": {"observedGeneration": 2, **counts, **status},
    }


def event(pod_uid: str, message: str) -> Object:
    """A warning about a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{pod_uid}-{message}", "namespace": SPACE},
        "involvedObject": {"uid": pod_uid},
        "type": "Warning",
        "reason": "Failed",
        "message": message,
    }


def keeper(kind: str, owner: str, revision: int, value: str) -> Object:
    """What keeps the label of one revision: a ReplicaSet or a ControllerRevision."""
    label = "pod-template-hash" if kind == "ReplicaSet" else "controller-revision-hash"
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": f"{owner}-{value}",
            "namespace": SPACE,
            "labels": {"app": owner, label: value},
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [{"uid": f"uid-{owner}"}],
        },
        **({} if kind == "ReplicaSet" else {"revision": revision}),
    }


def pod(owner: str, label: str, value: str, **state: Any) -> Object:
    """A pod of one revision; without a state it is refused for its configuration."""
    state = state or {"waiting": {"reason": "CreateContainerConfigError", "message": "no Secret"}}
    container = {"name": "main", "ready": False, "restartCount": 0, "state": state}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{owner}-{value}-0",
            "namespace": SPACE,
            "uid": f"uid-{owner}-{value}-0",
            "labels": {"app": owner, label: value},
        },
        "status": {"containerStatuses": [container]},
    }


def wait(cluster: Any, *manifests: Object, said: list[str] | None = None) -> list[str]:
    """Wait as a deployment does; return what was said meanwhile."""
    said = [] if said is None else said
    wait_for_rollouts(cluster, list(manifests), LIMIT_S, said.append)
    return said


class Clock:
    """Stands in for the module `time`: nobody waits, but what is due while sleeping happens."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []

    def at(self, moment_s: float, happen: Callable[[], None]) -> None:
        """Let something happen at a moment."""
        self._due.append((moment_s, happen))

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for due in [due for due in self._due if due[0] <= self.now_s]:
            self._due.remove(due)
            due[1]()
