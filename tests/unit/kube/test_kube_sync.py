"""What one component's deployment does to a cluster, and what it leaves alone."""

import base64
import re
from typing import Any

import pytest

from synapse_deploy.kube.api import ApiError
from synapse_deploy.kube.manifests import OWNER_LABEL, VERSION_LABEL
from synapse_deploy.kube.sync import PROGRAMS, SURROUNDINGS, Sync
from tests.unit.kube.cluster import FakeCluster

SPACE = "llm-infra"
VERSIONS = {"Deployment": "apps/v1", "NetworkPolicy": "networking.k8s.io/v1"}


def thing(kind: str, name: str, owner: str = "ollama", **more: Any) -> dict[str, Any]:
    labels = {OWNER_LABEL: owner, VERSION_LABEL: "0.1.0"}
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if kind not in ("Namespace", "PersistentVolume"):
        metadata["namespace"] = SPACE
    return {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata, **more}


NAMESPACE = thing("Namespace", SPACE, owner="namespace")


def sync_of(cluster: FakeCluster, *, check: bool = False) -> Sync:
    return Sync(cluster, "ollama", SPACE, version="0.1.0", check=check)  # type: ignore[arg-type]


def text_of(sync: Sync) -> str:
    return "".join(text for diff in sync.diffs for text in diff.values())


def test_second_apply_changes_nothing() -> None:
    cluster = FakeCluster(NAMESPACE)
    wanted = [thing("ConfigMap", "a", data={"x": "1"})]
    sync_of(cluster).apply(wanted)
    again = sync_of(cluster)
    again.apply(wanted)
    assert (again.changes, again.diffs) == ([], [])


def test_changed_object_is_shown_before_and_after() -> None:
    cluster = FakeCluster(NAMESPACE, thing("ConfigMap", "a", data={"x": "1"}))
    sync = sync_of(cluster)
    sync.apply([thing("ConfigMap", "a", data={"x": "2"})])
    assert sync.changes == ["change ConfigMap a"]
    (diff,) = sync.diffs
    assert "x: '1'" in diff["before"]
    assert "x: '2'" in diff["after"]
    assert "resourceVersion" not in diff["after"]


def labelled(version: str, **more: Any) -> dict[str, Any]:
    found = thing("Deployment", "a", **more)
    found["metadata"]["labels"][VERSION_LABEL] = version
    return found


def test_new_version_alone_is_a_change_and_is_not_told_as_one_that_restarts() -> None:
    cluster = FakeCluster(NAMESPACE, labelled("0.1.0"))
    sync = sync_of(cluster)
    sync.apply([labelled("0.2.0")])
    assert sync.changes == ["label Deployment a with version 0.2.0"]
    assert f"{VERSION_LABEL}: 0.2.0" in sync.diffs[0]["after"]
    changed = sync_of(cluster)
    changed.apply([labelled("0.3.0", spec={"replicas": 2})])
    assert changed.changes == ["change Deployment a"]


def test_secret_gets_the_version_and_keeps_its_values() -> None:
    cluster = FakeCluster(NAMESPACE)
    sync_of(cluster).generate_secret("keys", [{"name": "app"}])
    (path,) = (path for path in cluster.objects if path.endswith("/keys"))
    made = cluster.objects[path]
    assert made["metadata"]["labels"][VERSION_LABEL] == "0.1.0"
    cluster.objects[path] = {**made, "data": {"app": "c2VjcmV0"}}
    newer = Sync(cluster, "ollama", SPACE, version="0.2.0", check=False)  # type: ignore[arg-type]
    newer.generate_secret("keys", [{"name": "app"}])
    assert newer.changes == ["change Secret keys: labels"]
    assert cluster.objects[path]["metadata"]["labels"][VERSION_LABEL] == "0.2.0"
    assert cluster.objects[path]["data"] == {"app": "c2VjcmV0"}
    assert "app" not in cluster.objects[path]["stringData"]
    newer.generate_secret("keys", [{"name": "app"}])
    assert len(newer.changes) == 1


def test_of_each_value_it_is_known_when_it_was_made_and_of_one_that_goes_no_more() -> None:
    cluster = FakeCluster(NAMESPACE)
    sync_of(cluster).generate_secret("keys", [{"name": "a"}, {"name": "b"}], exclusive=True)
    (path,) = (path for path in cluster.objects if path.endswith("/keys"))
    first = cluster.objects[path]["metadata"]["annotations"]
    assert first.keys() == {"made.synapse/a", "made.synapse/b"}
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in first.values())
    cluster.objects[path] |= {"data": {"a": "eA==", "b": "eA=="}}
    sync_of(cluster).generate_secret("keys", [{"name": "a"}, {"name": "c"}], exclusive=True)
    told = cluster.objects[path]["metadata"]["annotations"]  # as it was sent
    assert told.keys() == {"made.synapse/b", "made.synapse/c"}, "what stays keeps its own"
    assert told["made.synapse/b"] is None
    assert told["made.synapse/c"].startswith("20")


def test_check_mode_writes_nothing() -> None:
    cluster = FakeCluster(NAMESPACE, thing("ConfigMap", "old"))
    sync = sync_of(cluster, check=True)
    wanted = [thing("ConfigMap", "a", data={"x": "2"})]
    sync.generate_secret("keys", [{"name": "app"}])
    sync.apply(wanted)
    sync.prune(wanted, PROGRAMS + SURROUNDINGS)
    assert cluster.writes == []
    assert sync.changes == [
        "create Secret keys: new value for app",
        "create ConfigMap a",
        "remove ConfigMap old",
    ]


def test_check_mode_says_what_a_cluster_without_the_namespace_would_get() -> None:
    cluster = FakeCluster()
    sync = sync_of(cluster, check=True)
    wanted = [NAMESPACE, thing("ConfigMap", "a"), thing("PersistentVolumeClaim", "data")]
    sync.generate_secret("keys", [{"name": "app"}])
    sync.apply(wanted)
    sync.prune(wanted, PROGRAMS + SURROUNDINGS)
    sync.keep_volumes(wanted)
    assert sync.changes == [
        "create Secret keys: new value for app",
        f"create Namespace {SPACE}",
        "create ConfigMap a",
        "create PersistentVolumeClaim data",
    ]


def test_kind_the_cluster_does_not_know_yet_is_only_announced_in_check_mode() -> None:
    monitor = thing("ServiceMonitor", "a") | {"apiVersion": "monitoring.coreos.com/v1"}
    sync = sync_of(FakeCluster(NAMESPACE), check=True)
    sync.apply([monitor])
    assert sync.changes == ["create ServiceMonitor a"]
    with pytest.raises(ApiError, match="ServiceMonitor a was refused: The cluster does not know"):
        sync_of(FakeCluster(NAMESPACE)).apply([monitor])


def test_every_refused_object_is_named_and_the_others_are_applied() -> None:
    cluster = FakeCluster(NAMESPACE)
    cluster.refuse = {"a", "c"}
    with pytest.raises(ApiError) as caught:
        sync_of(cluster).apply([thing("ConfigMap", name) for name in "abc"])
    assert str(caught.value).splitlines() == [
        "ConfigMap a was refused: the field is immutable",
        "ConfigMap c was refused: the field is immutable",
    ]
    assert cluster.writes == [f"apply /{SPACE}/configmaps/b"]


def test_api_that_does_not_answer_is_named_once() -> None:
    cluster = FakeCluster(NAMESPACE)
    cluster.silent = True
    with pytest.raises(ApiError) as caught:
        sync_of(cluster).apply([thing("ConfigMap", "a"), thing("ConfigMap", "b")])
    assert str(caught.value) == "The Kubernetes API does not answer"


def test_missing_namespace_is_named_before_anything_is_sent() -> None:
    wanted = [thing("ConfigMap", "a")]
    with pytest.raises(ApiError, match="There is no namespace llm-infra yet"):
        sync_of(FakeCluster()).require_namespace(wanted)
    sync_of(FakeCluster()).require_namespace([NAMESPACE, *wanted])
    sync_of(FakeCluster(), check=True).require_namespace(wanted)
    sync_of(FakeCluster(NAMESPACE)).require_namespace(wanted)


def test_only_our_own_objects_that_are_not_rendered_any_more_are_removed() -> None:
    keep, old = thing("ConfigMap", "keep"), thing("Deployment", "old")
    others = [
        thing("ConfigMap", "of-another", owner="gateway"),
        thing("PersistentVolumeClaim", "data"),
        thing("Secret", "values"),
    ]
    cluster = FakeCluster(NAMESPACE, keep, old, *others)
    sync = sync_of(cluster)
    sync.prune([keep], PROGRAMS + SURROUNDINGS)
    assert sync.changes == ["remove Deployment old"]
    assert cluster.writes == [f"delete /{SPACE}/deployments/old"]


def test_generated_values_are_made_once_and_never_shown() -> None:
    cluster = FakeCluster(NAMESPACE)
    sync = sync_of(cluster)
    sync.generate_secret("keys", [{"name": "app", "prefix": "sk-"}])
    made = cluster.objects[f"/{SPACE}/secrets/keys"]["stringData"]["app"]
    assert made.startswith("sk-")
    assert len(made) == len("sk-") + 48
    assert made not in text_of(sync) + "".join(sync.changes)


def test_only_missing_keys_of_a_secret_are_made() -> None:
    there = thing("Secret", "keys", data={"app": base64.b64encode(b"sk-1").decode()})
    cluster = FakeCluster(NAMESPACE, there)
    same = sync_of(cluster)
    same.generate_secret("keys", [{"name": "app"}])
    assert (same.changes, cluster.writes) == ([], [])
    more = sync_of(cluster)
    more.generate_secret("keys", [{"name": "app"}, {"name": "new"}])
    assert more.changes == ["change Secret keys: new value for new"]
    assert set(cluster.objects[f"/{SPACE}/secrets/keys"]["stringData"]) == {"new"}


def test_an_exclusive_secret_forgets_keys_that_are_not_named() -> None:
    there = thing("Secret", "keys", data={"app": "YQ==", "former": "Yg=="})
    cluster = FakeCluster(NAMESPACE, there)
    check = sync_of(cluster, check=True)
    check.generate_secret("keys", [{"name": "app"}], exclusive=True)
    assert (check.changes, cluster.writes) == (["change Secret keys: no more former"], [])
    sync = sync_of(cluster)
    sync.generate_secret("keys", [{"name": "app"}], exclusive=True)
    assert cluster.objects[f"/{SPACE}/secrets/keys"]["data"] == {"former": None}
    assert "- Secret keys: former (hidden)" in text_of(sync)


def test_values_of_a_rendered_secret_are_hidden_but_their_change_is_seen() -> None:
    cluster = FakeCluster(NAMESPACE, thing("Secret", "keys", data={"app": "b2xk"}))
    sync = sync_of(cluster)
    sync.apply([thing("Secret", "keys", data={"app": "bmV3"})])
    assert sync.changes == ["change Secret keys"]
    assert "b2xk" not in text_of(sync)
    assert "bmV3" not in text_of(sync)
    assert "(hidden, changed)" in text_of(sync)


def test_volume_behind_a_claim_is_kept() -> None:
    claim = thing("PersistentVolumeClaim", "data", spec={"volumeName": "pv-1"})
    volume = thing("PersistentVolume", "pv-1", spec={"persistentVolumeReclaimPolicy": "Delete"})
    cluster = FakeCluster(NAMESPACE, claim, volume)
    sync_of(cluster).keep_volumes([claim])
    kept = cluster.objects["/persistentvolumes/pv-1"]["spec"]["persistentVolumeReclaimPolicy"]
    assert kept == "Retain"
    again = sync_of(cluster)
    again.keep_volumes([claim])
    assert again.changes == []
