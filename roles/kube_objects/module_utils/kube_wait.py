"""Wait for rollouts with a limit, and explain those that do not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kube_api import ApiError, KubeApi
from kube_manifest import label_of
from kube_rollout import (
    REVISION_KEEPERS,
    WORKLOADS,
    is_hopeless,
    missing,
    newest_pods,
    troubles,
    unready_containers,
)

POLL_S = 1.0
LOG_LINES = 15
EVENTS_SHOWN = 5
SAY_EVERY_S = 10.0


class RolloutError(RuntimeError):
    """A workload did not become ready; the message holds its events and last log lines."""


def wait_for_rollouts(
    api: KubeApi, manifests: list[dict[str, Any]], limit_s: float, say: Callable[[str], None]
) -> None:
    """Return when every workload runs its newest revision, raise RolloutError after limit_s."""
    deadline = time.monotonic() + limit_s
    for manifest in manifests:
        if manifest["kind"] in WORKLOADS:
            _wait_for(api, manifest, deadline, limit_s, say)


def _wait_for(
    api: KubeApi,
    manifest: dict[str, Any],
    deadline: float,
    limit_s: float,
    say: Callable[[str], None],
) -> None:
    path, said = api.path_of(manifest), time.monotonic()
    while left := missing(workload := api.call("GET", path)):
        pods = _pods(api, workload)
        if is_hopeless(pods) and is_hopeless(newest := _newest(api, workload, pods)):
            raise RolloutError(_explain(api, workload, newest, "cannot become ready"))
        if time.monotonic() > deadline:
            late = f"was not ready within {limit_s:.0f} s (kube_objects_wait_s)"
            raise RolloutError(_explain(api, workload, pods, late))
        if time.monotonic() - said > SAY_EVERY_S:
            said = time.monotonic()
            say(f"waiting for {label_of(workload)}: {left} pod(s) to go")
        time.sleep(POLL_S)


def _pods(api: KubeApi, workload: dict[str, Any]) -> list[dict[str, Any]]:
    pods = _selected(api, workload, "v1", "Pod")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def _newest(
    api: KubeApi, workload: dict[str, Any], pods: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    keeper = REVISION_KEEPERS.get(workload["kind"])
    keepers = _selected(api, workload, "apps/v1", keeper) if keeper else []
    return newest_pods(workload, pods, keepers)


def _selected(
    api: KubeApi, workload: dict[str, Any], api_version: str, kind: str
) -> list[dict[str, Any]]:
    labels = workload["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    path = api.path(api_version, kind, workload["metadata"]["namespace"])
    found: list[dict[str, Any]] = api.call("GET", path, query={"labelSelector": selector})["items"]
    return found


def _explain(
    api: KubeApi, workload: dict[str, Any], pods: list[dict[str, Any]], verdict: str
) -> str:
    namespace = workload["metadata"]["namespace"]
    lines = [f"{label_of(workload)} {verdict}.", *troubles(workload, pods)]
    for pod, container, restarted in unready_containers(pods):
        lines += [f"event of {pod}: {text}" for text in _events(api, namespace, pod)]
        lines += [
            f"log of {pod}: {line}" for line in _log(api, namespace, pod, container, restarted)
        ]
    return "\n".join(lines)


def _events(api: KubeApi, namespace: str, pod: str) -> list[str]:
    selector = f"involvedObject.name={pod},type=Warning"
    path = api.path("v1", "Event", namespace)
    found = api.call("GET", path, query={"fieldSelector": selector})["items"]
    return [f"{event['reason']}: {event.get('message', '')}" for event in found[-EVENTS_SHOWN:]]


def _log(api: KubeApi, namespace: str, pod: str, container: str, restarted: bool) -> list[str]:
    path = api.path("v1", "Pod", namespace, pod) + "/log"
    query = {
        "container": container,
        "tailLines": str(LOG_LINES),
        "previous": str(restarted).lower(),
    }
    try:
        data: bytes = api.open("GET", path, query=query).data
    except ApiError:
        return []  # a container that never started has no log
    return data.decode(errors="replace").splitlines()
