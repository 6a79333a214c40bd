"""What a cluster tells about a workload's pods: which there are, their events, their logs."""

from __future__ import annotations

import re
from typing import Any

from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.kube.manifests import label_of
from synapse_deploy.kube.rollout import REVISION_KEEPERS, newest_pods, troubles, unready_containers

LOG_LINES = 15
EVENTS_SHOWN = 5
LINE_CHARACTERS = 160
MOVED_LOG = "unable to retrieve container logs for "  # the kubelet's words
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

Object = dict[str, Any]


def pods_of(api: KubeApi, workload: Object) -> list[Object]:
    """List a workload's pods, of every revision, but none that is on its way out."""
    pods = _selected(api, workload, "v1", "Pod")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def newest_of(api: KubeApi, workload: Object, pods: list[Object]) -> list[Object]:
    """Keep the pods of the workload's newest revision."""
    keeper = REVISION_KEEPERS.get(workload["kind"])
    keepers = _selected(api, workload, "apps/v1", keeper) if keeper else []
    return newest_pods(workload, pods, keepers)


def explain(api: KubeApi, workload: Object, pods: list[Object], verdict: str) -> str:
    """Tell why a workload is not ready: a sentence, then its pods' troubles, events and logs."""
    namespace = workload["metadata"]["namespace"]
    lines = [f"{label_of(workload)} {verdict}.", *troubles(workload, pods)]
    uids = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}
    for pod, container, restarted in unready_containers(pods):
        lines += [f"event of {pod}: {text}" for text in warnings_of(api, namespace, uids[pod])]
        log = _log(api, namespace, pod, container, previous=restarted)
        lines += [f"log of {pod}: {line}" for line in log]
    return "\n".join(lines)


def last_line(api: KubeApi, namespace: str, pod: str, container: str) -> str:
    """Return what a container said last, without colours and not too long; "" if nothing."""
    # A progress bar writes itself anew on one line: splitting takes its newest state.
    log = [COLOURS.sub("", line).strip() for line in _read_log(api, namespace, pod, container)]
    return next((line[:LINE_CHARACTERS] for line in reversed(log) if line), "")


def _selected(api: KubeApi, workload: Object, api_version: str, kind: str) -> list[Object]:
    labels = workload["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    path = api.path(api_version, kind, workload["metadata"]["namespace"])
    found: list[Object] = api.call("GET", path, query={"labelSelector": selector})["items"]
    return found


def warnings_of(api: KubeApi, namespace: str, pod_uid: str) -> list[str]:
    """Return the newest warnings among a pod's events."""
    # Not by name: a StatefulSet's pod bears the name of the one before.
    selector = f"involvedObject.uid={pod_uid},type=Warning"
    path = api.path("v1", "Event", namespace)
    found = api.call("GET", path, query={"fieldSelector": selector})["items"]
    return [f"{event['reason']}: {event.get('message', '')}" for event in found[-EVENTS_SHOWN:]]


def _log(api: KubeApi, namespace: str, pod: str, container: str, *, previous: bool) -> list[str]:
    """Return the end of a container's log, or of the container before it where that one has none.

    A log can move between two looks: a failing container is replaced every few seconds, and the
    kubelet then answers 200 with a sentence of its own. So it is asked twice.
    """
    for of_previous in (previous, previous, not previous):
        lines = _read_log(api, namespace, pod, container, previous=of_previous)
        if lines and not lines[0].startswith(MOVED_LOG):
            return lines
    return []


def _read_log(
    api: KubeApi, namespace: str, pod: str, container: str, *, previous: bool = False
) -> list[str]:
    path = api.path("v1", "Pod", namespace, pod) + "/log"
    query = {
        "container": container,
        "tailLines": str(LOG_LINES),
        "previous": str(previous).lower(),
    }
    try:
        data: bytes = api.open("GET", path, query=query).data
    except ApiError:
        return []  # a container that never started has no log
    return data.decode(errors="replace").splitlines()
