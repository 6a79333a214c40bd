"""A cluster in memory that answers like kube_api.KubeApi and keeps count of what was asked."""

import copy
from types import SimpleNamespace
from typing import Any

from synapse_deploy.kube.api import ApiError

CLUSTER_KINDS = {"Namespace": "namespaces", "PersistentVolume": "persistentvolumes"}
KINDS = {
    "ConfigMap": "configmaps",
    "ControllerRevision": "controllerrevisions",
    "DaemonSet": "daemonsets",
    "Deployment": "deployments",
    "Event": "events",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "ReplicaSet": "replicasets",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
}


class FakeCluster:
    """Objects by path. Writes are counted; a dry run answers and stores nothing."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        self.ended_logs: dict[str, str] = {}  # of the containers before
        self.moved_logs = 0  # how many times a log has just moved when it is asked for
        self.put(*objects)
        self.writes: list[str] = []
        self.listed: list[str] = []
        self.refuse: set[str] = set()
        self.reason = "the field is immutable"
        self.silent = False

    def put(self, *objects: dict[str, Any]) -> None:
        """Have these objects as they are, whatever was there."""
        self.objects |= {self.path_of(found): copy.deepcopy(found) for found in objects}

    def open(self, method: str, path: str, *, query: Any) -> SimpleNamespace:
        """The log of a pod, as text that was never cut into lines; 200 even where it is gone."""
        pod = path.split("/")[-2]
        if self.moved_logs:
            self.moved_logs -= 1
            text = f"unable to retrieve container logs for containerd://{pod}"
        else:
            text = (self.ended_logs if query["previous"] == "true" else self.logs).get(pod, "")
        lines = text.splitlines(keepends=True)
        return SimpleNamespace(data="".join(lines[-int(query["tailLines"]) :]).encode())

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
            raise ApiError(self.reason, 422)
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
            self.listed.append(path)
            found = self._listed(path, query.get("labelSelector", ""))
            fields = _pairs(query.get("fieldSelector", ""))
            return {"items": [thing for thing in found if _has_fields(thing, fields)]}
        if method == "GET":
            return copy.deepcopy(self.objects[path])
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            self._must_have_namespace(path.split("/")[1])
        return self._write(method, path, body, dry_run="dryRun" in query)

    def _listed(self, path: str, selector: str) -> list[dict[str, Any]]:
        wanted = _pairs(selector)
        return [
            copy.deepcopy(thing)
            for where, thing in self.objects.items()
            if where.startswith(path)
            and wanted.items() <= thing["metadata"].get("labels", {}).items()
        ]

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


def _pairs(selector: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in selector.split(",") if pair)


def _has_fields(thing: dict[str, Any], fields: dict[str, str]) -> bool:
    values = {
        **thing,
        **{f"involvedObject.{k}": v for k, v in thing.get("involvedObject", {}).items()},
    }
    return fields.items() <= values.items()
