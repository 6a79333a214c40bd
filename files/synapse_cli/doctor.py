"""`make doctor`: is everything there that a deployment needs? One line each, then what to do."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from kubernetes import client
from kubernetes.utils.quantity import parse_quantity
from rich.console import Console
from rich.markup import escape

from synapse_cli.cluster import REQUEST_TIMEOUT_S, Cluster, ClusterError
from synapse_cli.engines import versions
from synapse_cli.policies import enforced
from synapse_cli.site import SiteError, engines_on_gpu
from synapse_common.engines import OLDEST_VLLM, dotted, too_old
from synapse_deploy.catalogue.server_rules import needed_gib

OLDEST_PYTHON = (3, 11)
PACKAGES = ("ansible-core", "kubernetes", "httpx", "pydantic")
# Programs that a deployment does without, and what they are for.
OPTIONAL = {"kubectl": "the documents look into pods with it", "git": "make upgrade needs it"}
SHARE = "nvidia.com/gpu"
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is empty when all is well."""

    what: str
    seen: str
    remedy: str = ""


def tools() -> Iterator[Finding]:
    """The Python of this environment, the packages a deployment imports, programs beside it."""
    version = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info[:2] < OLDEST_PYTHON
    yield Finding(
        "python", version, "Install Python 3.11 or newer, then run make setup." if old else ""
    )
    for package in PACKAGES:
        try:
            yield Finding(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Finding(package, "missing", "Run make setup.")
    for program, use in OPTIONAL.items():
        yield Finding(program, shutil.which(program) or f"not found; optional: {use}")


def cluster(connect: Callable[[], Cluster], site: Mapping[str, Any]) -> Iterator[Finding]:
    """The API server: reached, allowed to deploy, able to store models and to run the engines."""
    try:
        api = connect()
        version = api.ask(client.VersionApi().get_code, _request_timeout=REQUEST_TIMEOUT_S)
    except ClusterError as fault:
        yield Finding("kubernetes", "not reached", str(fault))
        return
    yield Finding("kubernetes", f"{version.git_version} at {api.server_host}")
    yield permission(api)
    classes = api.ask(
        client.StorageV1Api().list_storage_class, _request_timeout=REQUEST_TIMEOUT_S
    ).items
    names = ", ".join(entry.metadata.name for entry in classes)
    missing = (
        ""
        if classes
        else "The cluster has no StorageClass; K3s brings local-path unless it was switched off."
    )
    yield Finding("storage classes", names or "none", missing)
    if engines := engines_on_gpu(site):
        yield shares(api, engines)
        yield from running(api)
        if site.get("vllm_memory_request_gib") is None:  # else a site promises less, and knows it
            yield memory(api, needed_gib(site))
    yield policies(api)


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
    return Finding("gpu shares", f"{offered} for {engines} models", remedy)


def running(api: Cluster) -> Iterator[Finding]:
    """Is each engine that answers of a version that Synapse can use?"""
    for pod, version in versions(api).items():
        remedy = (
            f"The engine is vLLM {version}, and Synapse needs {dotted(OLDEST_VLLM)} at least: the "
            "arbiter does not use it. Name a newer vllm_image, then run make deploy-vllm."
        )
        yield Finding(pod, version or "does not answer yet", remedy if too_old(version) else "")


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
    return Finding("memory", f"{needed:.1f} of {has:.1f} GiB", remedy if needed > has else "")


def policies(api: Cluster) -> Finding:
    """Do NetworkPolicies close anything? A cluster without an enforcer takes them all the same."""
    try:
        closed = enforced(api)
    except ClusterError as fault:
        return Finding("network policies", "not tried", str(fault))
    if closed is None:
        return Finding("network policies", "tried as soon as the gateway runs")
    remedy = (
        "This cluster takes NetworkPolicies and enforces none: the gateway's pod reaches the API "
        "server, which its policy forbids, and any pod reaches the engines. K3s enforces them "
        "unless it runs with --disable-network-policy; elsewhere the network plugin has to."
    )
    return Finding(
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
    return Finding("permission", "may manage the namespace" if allowed else "not enough", remedy)


def report(findings: list[Finding], console: Console) -> int:
    """Print the findings and return the exit status: 1 when anything needs doing."""
    for finding in findings:
        mark = "[red]missing[/]" if finding.remedy else "[green]ok[/]     "
        console.print(f"{mark}  {finding.what:16} {escape(finding.seen)}")
    remedies = [finding for finding in findings if finding.remedy]
    if remedies:
        console.print("\nWhat to do:")
        for finding in remedies:
            console.print(f"  {finding.what}: {escape(finding.remedy)}")
        return 1
    console.print(
        "\nReady. [bold]make check[/] shows what would change, [bold]make deploy[/] does it."
    )
    return 0


def doctor(
    connect: Callable[[], Cluster], read_site: Callable[[], Mapping[str, Any]], console: Console
) -> int:
    """Look at everything, print it and return the exit status."""
    findings: list[Finding] = [*tools()]
    site: Mapping[str, Any] = {}
    try:
        site = read_site()
    except SiteError as fault:
        findings.append(Finding("catalogue", "not read", str(fault)))
    return report([*findings, *cluster(connect, site)], console)
