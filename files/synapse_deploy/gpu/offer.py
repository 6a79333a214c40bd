"""Who offers the GPU to pods, how often, and why it is not: questions to what was listed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from synapse_deploy.kube.manifests import OWNER_LABEL

SHARE = "nvidia.com/gpu"
RUNTIME_CLASS = "nvidia"
OWNER = "device-plugin"
PLUGIN = re.compile(r"nvidia.*device-plugin|device-plugin.*nvidia")

Object = dict[str, Any]


def plugins(daemonsets: Iterable[Object]) -> list[Object]:
    """Return those that are NVIDIA's device plugin, whoever deployed them."""
    return [
        found
        for found in daemonsets
        if any(
            PLUGIN.search(container["image"])
            for container in found["spec"]["template"]["spec"]["containers"]
        )
    ]


def of_others(daemonsets: Iterable[Object]) -> list[Object]:
    """Return the device plugins that Synapse has not deployed."""
    return [
        found
        for found in plugins(daemonsets)
        if found["metadata"].get("labels", {}).get(OWNER_LABEL) != OWNER
    ]


def offered(nodes: Iterable[Object]) -> int:
    """Return how often all nodes together offer a GPU."""
    return sum(int((node["status"].get("allocatable") or {}).get(SHARE, 0)) for node in nodes)


def taken(pods: Iterable[Object]) -> int:
    """Return how often the GPU is promised to pods that have not ended."""
    return sum(
        int((container.get("resources", {}).get("limits") or {}).get(SHARE, 0))
        for pod in pods
        if pod["spec"].get("nodeName")
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        for container in pod["spec"]["containers"]
    )


def named(daemonset: Object) -> str:
    """Return a DaemonSet as people name it."""
    metadata = daemonset["metadata"]
    return f"DaemonSet {metadata['name']} in {metadata['namespace']}"


def why_not_offered(
    daemonsets: Iterable[Object], wanted: int, has: int, words: dict[str, str]
) -> str:
    """Return why the GPU is not offered as often as it is wanted.

    `words` is what each plugin's pod said last, by the plugin's name.
    """
    found = plugins(daemonsets)
    if not found:
        return f"No node offers {SHARE}, and there is no device plugin of NVIDIA in the cluster."
    plugin = found[0]
    pod = plugin["spec"]["template"]["spec"]
    if pod.get("runtimeClassName") != RUNTIME_CLASS:
        where = f"-n {plugin['metadata']['namespace']} daemonset {plugin['metadata']['name']}"
        patch = '{"spec":{"template":{"spec":{"runtimeClassName":"nvidia"}}}}'
        return (
            f"{named(plugin)} runs without runtimeClassName: {RUNTIME_CLASS}, so that it has no "
            f"library of the driver and finds no GPU; {SHARE} is offered {has} times. "
            f"`kubectl patch {where} -p '{patch}'` mends it."
        )
    if has:
        return (
            f"{named(plugin)} offers {SHARE} {has} times, and the catalogue has {wanted} models of "
            "engine vllm: the other pods would wait for ever. It is not Synapse's, so it was left "
            f"alone: set the replicas of its sharing.timeSlicing to {wanted} or more."
        )
    said = words.get(plugin["metadata"]["name"], "")
    told = f' Its last words: "{said}"' if said else ""
    return f"{named(plugin)} runs, and no node offers {SHARE}.{told}"
