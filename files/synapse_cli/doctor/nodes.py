"""The node and what runs on it beside Synapse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster
from synapse_common.finding import Finding

SYSTEM = "kube-system"
PRESSURES = ("DiskPressure", "MemoryPressure", "PIDPressure")
SHARE = "nvidia.com/gpu"

found = partial(Finding, "cluster")


def nodes(api: Cluster) -> Iterator[Finding]:
    """Is each node ready, with disk and memory left?"""
    for node in api.ask(api.core.list_node, _request_timeout=REQUEST_TIMEOUT_S).items:
        states = {one.type: one for one in node.status.conditions or ()}
        ready = states.get("Ready")
        name = node.metadata.name
        if ready is None or ready.status != "True":
            why = getattr(ready, "message", "") or "it told nothing"
            yield found(
                "node",
                f"{name} is not ready",
                f"{why.rstrip('.')}. `sudo journalctl -u k3s -n 50` on the server says more.",
            )
            continue
        pressed = [one for one in PRESSURES if one in states and states[one].status == "True"]
        yield found(
            "node",
            f"{name} is ready" + (f", {', '.join(pressed)}" if pressed else ""),
            "Kubernetes takes pods off this node and starts none: make room (`df -h`, `free -g` on "
            "the server)."
            if pressed
            else "",
        )


def system_pods(api: Cluster) -> Finding:
    """Do the pods run that every other one needs, such as CoreDNS?"""
    pods = _pods(api, namespace=SYSTEM)
    sick = [
        f"{pod.metadata.name} ({pod.status.phase})"
        for pod in pods
        if pod.status.phase != "Succeeded" and not _is_ready(pod)
    ]
    return found(
        "system pods",
        f"{len(sick)} of {len(pods)} not ready" if sick else f"{len(pods)}",
        f"`kubectl -n {SYSTEM} describe pod` says why: {', '.join(sick)}." if sick else "",
    )


def others(api: Cluster) -> Finding:
    """What else runs here, and whether it takes shares of the GPU."""
    pods = [
        pod
        for pod in _pods(api)
        if pod.metadata.namespace not in (SYSTEM, api.namespace)
        and pod.status.phase in ("Running", "Pending")
    ]
    spaces = Counter(pod.metadata.namespace for pod in pods)
    takers = [f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in pods if _asks_for_gpu(pod)]
    seen = ", ".join(f"{number} in {space}" for space, number in sorted(spaces.items())) or "none"
    remedy = (
        f"{', '.join(takers)} asked for the GPU: what they take of its memory is missing for the "
        "models. Lower vram_gib in synapse_gpus by it, or stop them."
    )
    return found("pods of others", seen, remedy if takers else "", is_note=True)


def _pods(api: Cluster, namespace: str = "") -> list[Any]:
    if namespace:
        listing, where = api.core.list_namespaced_pod, [namespace]
    else:
        listing, where = api.core.list_pod_for_all_namespaces, []
    return list(api.ask(listing, *where, _request_timeout=REQUEST_TIMEOUT_S).items)


def _is_ready(pod: Any) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())


def _asks_for_gpu(pod: Any) -> bool:
    limits = [
        container.resources and container.resources.limits for container in pod.spec.containers
    ]
    return any(SHARE in one for one in limits if one)
