"""A cluster in memory that answers like kube_api.KubeApi and keeps count of what was asked."""

import copy
from typing import Any

from kube_api import ApiError

CLUSTER_KINDS = {"Namespace": "namespaces", "PersistentVolume": "persistentvolumes"}
KINDS = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Secret": "secrets",
    "Service": "services",
}


class FakeCluster:
    """Objects by path. Writes are counted; a dry run answers and stores nothing."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects = {self.path_of(found): copy.deepcopy(found) for found in objects}
        self.writes: list[str] = []
        self.refuse: set[str] = set()
        self.silent = False

    def knows(self, api_version: str, kind: str) -> bool:
        return kind in KINDS or kind in CLUSTER_KINDS

    def path(self, api_version: str, kind: str, namespace: str | None, name: str = "") -> str:
        if not self.knows(api_version, kind):
            raise ApiError(f"The cluster does not know {kind} of {api_version}.", 404)
        if kind in CLUSTER_KINDS:
            return f"/{CLUSTER_KINDS[kind]}/{name}"
        return f"/{namespace}/{KINDS[kind]}/{name}"

    def path_of(self, manifest: dict[str, Any]) -> str:
        metadata = manifest["metadata"]
        return self.path(
            manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"]
        )

    def find(self, path: str) -> dict[str, Any] | None:
        if self.silent:
            raise ApiError("The Kubernetes API does not answer")
        return copy.deepcopy(self.objects.get(path))

    def apply(self, manifest: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        path = self.path_of(manifest)
        if manifest["metadata"]["name"] in self.refuse:
            raise ApiError("the field is immutable", 422)
        self._must_have_namespace(manifest["metadata"].get("namespace"))
        after = copy.deepcopy(manifest)
        after["metadata"]["resourceVersion"] = "7"
        if not dry_run:
            self.writes.append(f"apply {path}")
            self.objects[path] = after
        return copy.deepcopy(after)

    def call(
        self, method: str, path: str, body: Any = None, *, query: Any = None, **_: Any
    ) -> dict[str, Any]:
        query = query or {}
        if method == "GET" and path.endswith("/"):
            key, _, value = query["labelSelector"].partition("=")
            return {"items": self._listed(path, key, value)}
        if method == "GET":
            return copy.deepcopy(self.objects[path])
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            self._must_have_namespace(path.split("/")[1])
        return self._write(method, path, body, dry_run="dryRun" in query)

    def _listed(self, path: str, key: str, value: str) -> list[dict[str, Any]]:
        found = [thing for where, thing in self.objects.items() if where.startswith(path)]
        labelled = [
            thing for thing in found if thing["metadata"].get("labels", {}).get(key) == value
        ]
        return copy.deepcopy(labelled)

    def _write(self, method: str, path: str, body: Any, *, dry_run: bool) -> dict[str, Any]:
        after = {**self.objects.get(path, {}), **(body or {})}
        if dry_run:
            return after
        self.writes.append(f"{method.lower()} {path}")
        if method == "DELETE":
            self.objects.pop(path)
        else:
            self.objects[path] = after
        return after

    def _must_have_namespace(self, namespace: str | None) -> None:
        if namespace and f"/namespaces/{namespace}" not in self.objects:
            raise ApiError(f'namespaces "{namespace}" not found', 404)
