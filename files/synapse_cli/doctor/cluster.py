"""The cluster: reached, allowed to deploy, healthy, able to store models and to run the engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster, ClusterError
from synapse_cli.doctor.engines import on_gpu
from synapse_cli.doctor.nodes import nodes, others, system_pods
from synapse_cli.policies import enforced
from synapse_cli.site import engines_on_gpu
from synapse_common.finding import Finding
from synapse_deploy.catalogue.server_rules import needed_gib

GIB = 2**30
FORBIDDEN = 403

found = partial(Finding, "cluster")


def cluster(connect: Callable[[], Cluster], site: Mapping[str, Any]) -> Iterator[Finding]:
    """All that can be seen of it; where one look fails, the others go on."""
    try:
        api = connect()
        version = api.ask(client.VersionApi().get_code, _request_timeout=REQUEST_TIMEOUT_S)
    except ClusterError as fault:
        yield found("kubernetes", "not reached", str(fault))
        return
    yield found("kubernetes", f"{version.git_version} at {api.server_host}")
    engines = engines_on_gpu(site)
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        "permission": lambda: [permission(api)],
        "nodes": lambda: nodes(api),
        "system pods": lambda: [system_pods(api)],
        "storage classes": lambda: [storage(api)],
        "pods of others": lambda: [others(api)],
    }
    if engines:
        looks["gpu"] = lambda: on_gpu(api, site, engines)
    if engines and site.get("vllm_memory_request_gib") is None:  # else it promises less, and knows
        looks["memory"] = lambda: [memory(api, needed_gib(site))]
    looks["network policies"] = lambda: [policies(api)]
    for what, look in looks.items():
        try:
            yield from look()
        except ClusterError as fault:
            yield found(what, "not looked at", str(fault), is_note=_is_forbidden(fault))


def _is_forbidden(fault: ClusterError) -> bool:
    """Whether only the permission to look is missing, which a deployment does not need."""
    cause = fault.__cause__
    return isinstance(cause, ApiException) and cause.status == FORBIDDEN


def storage(api: Cluster) -> Finding:
    """Is there a class of volumes for models?"""
    listing = client.StorageV1Api().list_storage_class
    classes = api.ask(listing, _request_timeout=REQUEST_TIMEOUT_S).items
    names = ", ".join(entry.metadata.name for entry in classes)
    missing = "The cluster has no StorageClass; K3s brings local-path unless it was switched off."
    return found("storage classes", names or "none", "" if classes else missing)


def memory(api: Cluster, needed: float) -> Finding:
    """Has the cluster the memory that everything together may use, copies of sleepers included?"""
    nodes = api.ask(api.core.list_node, _request_timeout=REQUEST_TIMEOUT_S).items
    sizes = [(node.status.allocatable or {}).get("memory", "0") for node in nodes]
    has = float(sum(map(parse_quantity, sizes))) / GIB
    remedy = (
        f"Everything together may use {needed:.1f} GiB, sleeping models included, but the nodes "
        f"have {has:.1f}. Write synapse_memory_gib: {has:.0f} into platform.yml: then make check "
        "says what the sum is made of."
    )
    return found("memory", f"{needed:.1f} of {has:.1f} GiB", remedy if needed > has else "")


def policies(api: Cluster) -> Finding:
    """Do NetworkPolicies close anything? A cluster without an enforcer takes them all the same."""
    try:
        closed = enforced(api)
    except ClusterError as fault:
        return found("network policies", "not tried", str(fault))
    if closed is None:
        return found("network policies", "tried as soon as the gateway runs")
    remedy = (
        "This cluster takes NetworkPolicies and enforces none: the gateway's pod reaches the API "
        "server, which its policy forbids, and any pod reaches the engines. K3s enforces them "
        "unless it runs with --disable-network-policy; elsewhere the network plugin has to."
    )
    return found(
        "network policies", "enforced" if closed else "NOT enforced", "" if closed else remedy
    )


def permission(api: Cluster) -> Finding:
    """May this kubeconfig do everything in the namespace?"""
    attributes = client.V1ResourceAttributes(
        namespace=api.namespace, verb="*", group="*", resource="*"
    )
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    )
    create = client.AuthorizationV1Api().create_self_subject_access_review
    allowed = bool(api.ask(create, review, _request_timeout=REQUEST_TIMEOUT_S).status.allowed)
    remedy = "" if allowed else f"Use a kubeconfig that may manage the namespace {api.namespace}."
    return found("permission", "may manage the namespace" if allowed else "not enough", remedy)
