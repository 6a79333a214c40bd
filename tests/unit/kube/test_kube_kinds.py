"""A component with account, rights, storage and StatefulSet: in which order it comes and goes."""

import json
from typing import Any

import pytest

from synapse_deploy.kube.api import ApiError
from synapse_deploy.kube.manifests import prepare
from synapse_deploy.kube.sync import PROGRAMS, SURROUNDINGS, Sync
from tests.unit.kube.cluster import FakeCluster

SPACE = "llm-infra"
RIGHTS = "rbac.authorization.k8s.io/v1"
# Written in an order in which nothing would work.
COMPONENT = {
    "StatefulSet": "apps/v1",
    "Deployment": "apps/v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "ConfigMap": "v1",
    "RoleBinding": RIGHTS,
    "Role": RIGHTS,
    "ServiceAccount": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}
ENGINE = {
    "serviceName": "chat",
    "podManagementPolicy": "Parallel",
    "selector": {"matchLabels": {"app": "chat"}},
    "volumeClaimTemplates": [{"metadata": {"name": "models"}, "spec": {"size": "1Gi"}}],
}
FORBIDDEN = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are"


def rendered(*kinds: str) -> list[dict[str, Any]]:
    texts = [
        json.dumps({"apiVersion": COMPONENT[kind], "kind": kind, "metadata": {"name": "engine"}})
        for kind in kinds
    ]
    return prepare(texts, "vllm", SPACE, "0.1.0")


def cluster_of(*objects: dict[str, Any]) -> FakeCluster:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    return FakeCluster(space, *objects)


def sync_of(cluster: FakeCluster) -> Sync:
    return Sync(cluster, "vllm", SPACE, version="0.1.0", check=False)  # type: ignore[arg-type]


def test_what_a_pod_needs_is_applied_before_the_workload() -> None:
    cluster = cluster_of()
    sync_of(cluster).apply(rendered(*COMPONENT))
    assert [path.split("/")[2] for path in cluster.writes] == [
        "networkpolicies",
        "serviceaccounts",
        "roles",
        "rolebindings",
        "configmaps",
        "persistentvolumeclaims",
        "services",
        "statefulsets",
        "deployments",
    ]


def test_all_but_the_claim_is_removed_and_the_workloads_go_first() -> None:
    cluster = cluster_of(*rendered(*COMPONENT))
    sync_of(cluster).prune([], PROGRAMS + SURROUNDINGS)
    gone = [path.split("/")[2] for path in cluster.writes]
    assert set(gone[:2]) == {"statefulsets", "deployments"}
    assert len(gone) == len(COMPONENT) - 1
    assert "persistentvolumeclaims" not in gone


def engine(**spec: Any) -> dict[str, Any]:
    (made,) = rendered("StatefulSet")
    return {**made, "spec": {**ENGINE, **spec}}


def refused(live: dict[str, Any] | None, asked: dict[str, Any], reason: str) -> str:
    cluster = cluster_of(*([live] if live else []))
    cluster.refuse, cluster.reason = {"engine"}, reason
    with pytest.raises(ApiError) as caught:
        sync_of(cluster).apply([asked])
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"podManagementPolicy": "OrderedReady"}, "podManagementPolicy"),
        ({"serviceName": "other"}, "serviceName"),
        ({"selector": {"matchLabels": {"app": "other"}}}, "selector"),
        (
            {"volumeClaimTemplates": [], "serviceName": "other"},
            "serviceName and volumeClaimTemplates",
        ),
    ],
    ids=["policy", "service", "selector", "two"],
)
def test_change_that_a_statefulset_does_not_allow_names_the_field_and_the_way_out(
    spec: dict[str, Any], named: str
) -> None:
    # The cluster fills in what was left out; that is no change.
    template = {**ENGINE["volumeClaimTemplates"][0], "status": {"phase": "Pending"}}  # type: ignore[index]
    live = engine(volumeClaimTemplates=[template], revisionHistoryLimit=10)
    assert refused(live, engine(**spec), FORBIDDEN) == (
        f"StatefulSet engine was refused: {named} cannot be changed once it is made. "
        "Delete it (its claims and their data stay), the next run makes it anew: "
        "kubectl delete statefulset engine -n llm-infra"
    )


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Deployment", "spec.selector: Invalid value: {...}: field is immutable"),
        ("RoleBinding", "roleRef: Invalid value: {...}: cannot change roleRef"),
        ("Service", "spec.clusterIPs[0]: Invalid value: []: may not change once set"),
    ],
)
def test_change_that_another_kind_does_not_allow_names_the_way_out(kind: str, reason: str) -> None:
    (made,) = rendered(kind)
    told = refused(made, made, reason)
    assert told.startswith(f"{kind} engine was refused: {reason}. Delete it, the")
    assert told.endswith(f"kubectl delete {kind.lower()} engine -n llm-infra")


def test_deleting_is_advised_only_where_it_helps_and_loses_nothing() -> None:
    claim, service = rendered("PersistentVolumeClaim", "Service")
    fixed = "spec: Forbidden: spec is immutable after creation"
    assert "delete" not in refused(claim, claim, fixed)
    assert "delete" not in refused(None, engine(), FORBIDDEN)
    assert "delete" not in refused(service, service, "spec.ports[0].port: Invalid value: 0")
