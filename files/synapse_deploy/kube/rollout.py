"""When a workload is rolled out, when it never will be, and why: pure functions on API objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

# A container waiting for one of these does not start by waiting longer.
HOPELESS = {
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
}
# Unless the kubelet only had no time to read a Secret or ConfigMap: it tries again by itself.
PASSING = "timed out waiting for the condition"
CRASHES_ALLOWED = 3

# The label that tells a workload's revisions apart on its pods, and the kind of object that
# keeps the label's value; a StatefulSet names its newest revision itself.
REVISION_LABELS = {
    "Deployment": "pod-template-hash",
    "StatefulSet": "controller-revision-hash",
    "DaemonSet": "controller-revision-hash",
}
REVISION_KEEPERS = {"Deployment": "ReplicaSet", "DaemonSet": "ControllerRevision"}
REVISION_NUMBER = "deployment.kubernetes.io/revision"


def missing(workload: Object) -> int:
    """Count the pods of the newest revision that are still to become ready; 0 is rolled out."""
    status = workload.get("status") or {}
    if not is_observed(workload):
        return max(1, _desired(workload))
    if workload["kind"] == "DaemonSet":
        updated = int(status.get("updatedNumberScheduled", 0))
        return _desired(workload) - min(updated, int(status.get("numberReady", 0)))
    updated = int(status.get("updatedReplicas", 0))
    ready = min(updated, int(status.get("availableReplicas", 0)))
    leftover = int(status.get("replicas", 0)) - updated
    return max(0, _desired(workload) - ready) + max(0, leftover)


def is_observed(workload: Object) -> bool:
    """Tell whether the cluster has taken note of what was asked for last."""
    seen = (workload.get("status") or {}).get("observedGeneration", 0)
    return bool(seen >= workload["metadata"].get("generation", 0))


def newest_pods(
    workload: Object, pods: Iterable[Object], keepers: Iterable[Object]
) -> list[Object]:
    """Keep the pods of the newest revision; keepers are the REVISION_KEEPERS of the workload.

    A refused pod of the last revision is still listed for a moment after it was replaced.
    """
    if not is_observed(workload):
        return []
    label = REVISION_LABELS[workload["kind"]]
    newest = _newest_revision(workload, keepers, label)
    return [pod for pod in pods if newest and _labels(pod).get(label) == newest]


def _newest_revision(workload: Object, keepers: Iterable[Object], label: str) -> str | None:
    if workload["kind"] not in REVISION_KEEPERS:
        found: str | None = workload["status"].get("updateRevision")
        return found
    uid = workload["metadata"]["uid"]
    own = [
        keeper
        for keeper in keepers
        if any(owner["uid"] == uid for owner in keeper["metadata"].get("ownerReferences") or [])
    ]
    # The newest may be an old one that was taken up again: it gets a new number then.
    newest = max(own, key=_revision_number, default=None)
    return _labels(newest).get(label) if newest else None


def _revision_number(keeper: Object) -> int:
    annotations = keeper["metadata"].get("annotations") or {}
    return int(keeper.get("revision") or annotations.get(REVISION_NUMBER) or 0)


def _labels(found: Object) -> dict[str, str]:
    return found["metadata"].get("labels") or {}


def _desired(workload: Object) -> int:
    if workload["kind"] == "DaemonSet":
        return int((workload.get("status") or {}).get("desiredNumberScheduled", 0))
    return int(workload["spec"].get("replicas", 1))


def troubles(workload: Object, pods: Iterable[Object]) -> list[str]:
    """Say what keeps a workload's pods from being ready, one sentence each."""
    conditions = (workload.get("status") or {}).get("conditions") or []
    found = [
        f"{condition['type']}: {condition.get('message', '')}"
        for condition in conditions
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]
    for pod in pods:
        found += _pod_troubles(pod)
    return found


def _pod_troubles(pod: Object) -> list[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    found = [
        f"pod {name} is not scheduled: {condition.get('message', condition.get('reason'))}"
        for condition in status.get("conditions") or []
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "PodInitializing"):
            text = waiting.get("message", "")
            found.append(
                f"pod {name}, container {container['name']}: {waiting['reason']} {text}".rstrip()
            )
        elif container.get("state", {}).get("running") and not container.get("ready"):
            found.append(
                f"pod {name}, container {container['name']}: runs, but its probe does not pass"
            )
    return found


def is_hopeless(pods: Iterable[Object]) -> bool:
    """Tell whether some container can never start, so that waiting on is pointless."""
    for pod in pods:
        for container in _containers(pod):
            waiting = container.get("state", {}).get("waiting", {})
            reason, passes = waiting.get("reason"), PASSING in waiting.get("message", "")
            crashed = container.get("restartCount", 0) >= CRASHES_ALLOWED
            if (reason in HOPELESS and not passes) or (reason == "CrashLoopBackOff" and crashed):
                return True
    return False


def unready_containers(pods: Iterable[Object]) -> list[tuple[str, str, bool]]:
    """List (pod, container, restarted) of all that should be ready and is not."""
    return [
        (pod["metadata"]["name"], container["name"], container.get("restartCount", 0) > 0)
        for pod in pods
        for container in _containers(pod)
        if not container.get("ready") and not _completed(container)
    ]


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _completed(container: Object) -> bool:
    return bool(container.get("state", {}).get("terminated", {}).get("exitCode") == 0)
