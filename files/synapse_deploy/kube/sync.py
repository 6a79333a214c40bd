"""Bring a cluster to a list of objects: apply, make up secrets, remove leftovers, keep data."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from synapse_common.secrets import MADE, made_now
from synapse_deploy.kube.api import FIELD_MANAGER, MERGE_TYPE, ApiError, KubeApi
from synapse_deploy.kube.difference import difference, told
from synapse_deploy.kube.manifests import (
    CLUSTER_SCOPED,
    OWNER_LABEL,
    Manifest,
    identity,
    own_labels,
)
from synapse_deploy.kube.refusals import refusal

# Kinds that are removed when they are no longer rendered: what runs, and what it is run with.
# Whatever holds data or values that cannot be made again (volumes, Secrets, namespaces) is never
# removed by a deployment.
PROGRAMS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
)
SURROUNDINGS = (
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
)
SECRET_BYTES = 24
INVALID = 422


class Sync:
    """One component's way into the cluster; in check mode every write is a dry run."""

    def __init__(
        self, api: KubeApi, component: str, namespace: str, *, version: str, check: bool
    ) -> None:
        """Remember what is synchronised; nothing is sent yet."""
        self._api = api
        self._component = component
        self._labels = own_labels(component, version)
        self._namespace = namespace
        self._check = check
        self._namespaces: dict[str, bool] = {}
        self.changes: list[str] = []
        self.diffs: list[dict[str, str]] = []

    def require_namespace(self, manifests: list[Manifest]) -> None:
        """Raise ApiError where the namespace is neither there nor among the objects."""
        made_here = any(manifest["kind"] == "Namespace" for manifest in manifests)
        if not (self._check or made_here or self._has(self._namespace)):
            raise ApiError(
                f"There is no namespace {self._namespace} yet; make it first: make deploy-infra"
            )

    def apply(self, manifests: list[Manifest]) -> None:
        """Apply every object; raise ApiError naming all that were refused."""
        refused = []
        for manifest in manifests:
            try:
                self._apply_one(manifest)
            except ApiError as error:
                if not error.status:
                    raise  # nobody answers: once is enough
                refused.append(self._refusal(manifest, error))
        if refused:
            raise ApiError("\n".join(refused))

    def _apply_one(self, manifest: Manifest) -> None:
        if self._check and not self._reachable(manifest):
            self._note("create", None, manifest)
            return
        before = self._api.find(self._api.path_of(manifest))
        after = self._api.apply(manifest, dry_run=self._check)
        self._note("change" if before else "create", before, after)

    def _refusal(self, manifest: Manifest, error: ApiError) -> str:
        live = None
        if error.status == INVALID:
            live = self._api.find(self._api.path_of(manifest))
        removable = any(manifest["kind"] == kind for _, kind in PROGRAMS + SURROUNDINGS)
        return refusal(manifest, live, str(error), removable=removable)

    def _reachable(self, manifest: Manifest) -> bool:
        """Tell whether a dry run can work: the kind and the namespace are already there."""
        if not self._api.knows(manifest["apiVersion"], manifest["kind"]):
            return False
        return manifest["kind"] in CLUSTER_SCOPED or self._has(manifest["metadata"]["namespace"])

    def _has(self, namespace: str) -> bool:
        if namespace not in self._namespaces:
            found = self._api.find(self._api.path("v1", "Namespace", None, namespace))
            self._namespaces[namespace] = found is not None
        return self._namespaces[namespace]

    def generate_secret(
        self, name: str, keys: list[dict[str, str]], *, exclusive: bool = False
    ) -> None:
        """Make sure a Secret has these keys, making up missing values; exclusive: and no others.

        An annotation says of each value when it was made up.
        """
        there = self._has(self._namespace) or not self._check
        path = self._api.path("v1", "Secret", self._namespace, name)
        before = self._api.find(path) if there else None
        present = (before or {}).get("data") or {}
        new = {
            key["name"]: key.get("prefix", "") + secrets.token_hex(SECRET_BYTES)
            for key in keys
            if key["name"] not in present
        }
        gone = sorted(set(present) - {key["name"] for key in keys}) if exclusive else []
        labels = ((before or {}).get("metadata") or {}).get("labels") or {}
        if before is not None and not new and not gone and self._labels.items() <= labels.items():
            return
        if not self._check:
            self._store(path, name, new, gone, exists=before is not None)
        self._note_secret("change" if before else "create", name, list(new), gone)

    def _note_secret(self, action: str, name: str, new: list[str], gone: list[str]) -> None:
        said = [f"new value for {', '.join(new)}"] if new else []
        said += [f"no more {', '.join(gone)}"] if gone else []
        self.changes.append(f"{action} Secret {name}: {'; '.join(said or ['labels'])}")
        signs = [("+", key) for key in new] + [("-", key) for key in gone]
        lines = "".join(f"{sign} Secret {name}: {key} (hidden)\n" for sign, key in signs)
        self.diffs.append({"prepared": lines})

    def _store(
        self, path: str, name: str, new: dict[str, str], gone: list[str], *, exists: bool
    ) -> None:
        labels = {
            "app.kubernetes.io/part-of": "synapse",
            "app.kubernetes.io/managed-by": "ansible",
            **self._labels,
        }
        made: dict[str, str | None] = {f"{MADE}{key}": made_now() for key in new}
        made |= {f"{MADE}{key}": None for key in gone} if exists else {}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": labels, "annotations": made},
            **({"data": dict.fromkeys(gone)} if gone else {}),
            "stringData": new,
        }
        query = {"fieldManager": FIELD_MANAGER}
        if exists:
            self._api.call("PATCH", path, body, content_type=MERGE_TYPE, query=query)
        else:
            self._api.call("POST", path.rpartition("/")[0], body, query=query)

    def prune(self, manifests: list[Manifest], kinds: Iterable[tuple[str, str]]) -> None:
        """Remove this component's objects of these kinds that are no longer rendered."""
        if not self._has(self._namespace):
            return
        ours = {"labelSelector": f"{OWNER_LABEL}={self._component}"}
        keep = {identity(manifest) for manifest in manifests}
        for api_version, kind in kinds:
            if not self._api.knows(api_version, kind):
                continue
            path = self._api.path(api_version, kind, self._namespace)
            listed = self._api.call("GET", path, query=ours)
            for item in listed["items"]:
                item |= {"apiVersion": api_version, "kind": kind}
                if identity(item) not in keep:
                    self._remove(item)

    def _remove(self, item: Manifest) -> None:
        query = {"propagationPolicy": "Background"} | ({"dryRun": "All"} if self._check else {})
        self._api.call("DELETE", self._api.path_of(item), query=query)
        self._note("remove", item, None)

    def keep_volumes(self, manifests: list[Manifest]) -> None:
        """Set the volumes behind our claims to Retain: deleting data is never a side effect."""
        for manifest in manifests:
            if manifest["kind"] == "PersistentVolumeClaim" and self._reachable(manifest):
                claim = self._api.find(self._api.path_of(manifest)) or {}
                name = claim.get("spec", {}).get("volumeName")
                if name:
                    self._keep(self._api.path("v1", "PersistentVolume", None, name))

    def _keep(self, path: str) -> None:
        before = self._api.call("GET", path)
        if before["spec"].get("persistentVolumeReclaimPolicy") == "Retain":
            return
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if self._check else {})
        body = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        after = self._api.call("PATCH", path, body, content_type=MERGE_TYPE, query=query)
        self._note("change", before, after)

    def _note(self, action: str, before: Manifest | None, after: Manifest | None) -> None:
        changed = difference(before, after)
        if changed:
            self.changes.append(told(action, before, after))
            self.diffs.append(changed)
