"""What the engines need of the cluster: the GPU offered often enough, and to their pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kubernetes import client

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster
from synapse_cli.engines import versions
from synapse_common.engines import OLDEST_VLLM, dotted, too_old
from synapse_common.finding import Finding

SHARE = "nvidia.com/gpu"
PLUGIN_IMAGE = "k8s-device-plugin"
RUNTIME_CLASS = "nvidia"

found = partial(Finding, "cluster")


def on_gpu(api: Cluster, site: Mapping[str, Any], engines: int) -> Iterator[Finding]:
    """Everything between a GPU that the server has and an engine that runs on it."""
    yield runtime_class(api, str(site.get("vllm_runtime_class") or RUNTIME_CLASS))
    yield from device_plugin(api)
    yield shares(api, engines)
    yield from running(api)


def runtime_class(api: Cluster, name: str) -> Finding:
    """Does the cluster know the runtime that gives a pod the GPU?"""
    read = client.NodeV1Api().read_runtime_class
    seen = api.find(read, name, _request_timeout=REQUEST_TIMEOUT_S)
    remedy = (
        f"No RuntimeClass {name}: K3s brings it when it finds NVIDIA's container toolkit at its "
        "start. Install the toolkit, then `sudo systemctl restart k3s`; on another cluster, "
        "vllm_runtime_class names its own."
    )
    return found("runtime class", name if seen else "none", "" if seen else remedy)


def device_plugin(api: Cluster) -> Iterator[Finding]:
    """Does NVIDIA's device plugin run with the runtime without which it sees no GPU?"""
    listing = api.apps.list_daemon_set_for_all_namespaces
    for one in api.ask(listing, _request_timeout=REQUEST_TIMEOUT_S).items:
        pod = one.spec.template.spec
        if not any(PLUGIN_IMAGE in container.image for container in pod.containers):
            continue
        name = f"{one.metadata.namespace}/{one.metadata.name}"
        remedy = (
            f"It has no runtimeClassName, and on K3s it finds no GPU without one: `kubectl -n "
            f"{one.metadata.namespace} patch daemonset {one.metadata.name} -p "
            '\'{"spec":{"template":{"spec":{"runtimeClassName":"nvidia"}}}}\'`.'
        )
        yield found("device plugin", name, "" if pod.runtime_class_name else remedy)


def shares(api: Cluster, engines: int) -> Finding:
    """Is the GPU offered as often as there are engines? Each asks for a share of its own."""
    nodes = api.ask(api.core.list_node, _request_timeout=REQUEST_TIMEOUT_S).items
    offered = sum(int((node.status.allocatable or {}).get(SHARE, 0)) for node in nodes)
    remedy = ""
    if not offered:
        remedy = (
            f"No node offers {SHARE}: NVIDIA's device plugin is missing or finds no GPU. "
            "Set it up as roles/vllm/README.md says, or take synapse_gpus out of platform.yml."
        )
    elif offered < engines:
        remedy = (
            f"The catalogue has {engines} models of engine vllm, but the device plugin offers only "
            f"{offered} of {SHARE}: the other pods would wait for ever. Set the replicas of its "
            f"sharing.timeSlicing to {engines} or more, as roles/vllm/README.md shows."
        )
    return found("gpu shares", f"{offered} for {engines} models", remedy)


def running(api: Cluster) -> Iterator[Finding]:
    """Is each engine that answers of a version that Synapse can use?"""
    for pod, version in versions(api).items():
        remedy = (
            f"The engine is vLLM {version}, and Synapse needs {dotted(OLDEST_VLLM)} at least: the "
            "arbiter does not use it. Name a newer vllm_image, then run make deploy-vllm."
        )
        yield found(pod, version or "does not answer yet", remedy if too_old(version) else "")
