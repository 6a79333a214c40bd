"""A cluster with a GPU in memory, and time that passes only while somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from synapse_deploy.kube.api import ApiError
from tests.unit.gpu.test_judge import LOG
from tests.unit.gpu.test_offer import OURS, node

Object = dict[str, Any]


class Cluster:
    """Answers as KubeApi does; a Job that is made has as many pods as it asks for."""

    def __init__(self) -> None:
        self.nodes, self.pods, self.daemonsets = [node("9")], list[Object](), [OURS]
        self.runtime_class: Object | None = {"handler": "nvidia"}
        self.down = False
        self.tried: list[Object] = []
        self.log = LOG
        self.phase = "Running"
        self.rejects = False
        self.events: list[Object] = []
        self.calls: list[str] = []

    def path(self, api_version: str, kind: str, namespace: str | None, name: str = "") -> str:
        return "/".join(["", api_version, kind, namespace or "", name]).rstrip("/")

    def find(self, path: str) -> Object | None:
        if self.down:
            raise ApiError("The Kubernetes API at https://forge:6443 does not answer: refused")
        return self.runtime_class

    def call(self, method: str, path: str, body: Any = None, *, query: Any = None) -> Object:
        self.calls.append(f"{method} {path}")
        if method == "POST":
            self._make(body)
            return {"metadata": {"uid": "u1"}}
        if method == "DELETE":
            if not self.tried:
                raise ApiError("not found", 404)
            self.tried = []
            return {}
        if query == {"labelSelector": "batch.kubernetes.io/controller-uid=u1"}:
            return {"items": self.tried}
        if "/Event" in path:
            return {"items": self.events}
        kinds = {"Node": self.nodes, "Pod": self.pods, "DaemonSet": self.daemonsets}
        return {"items": kinds[path.split("/")[3] if "apps" in path else path.split("/")[2]]}

    def _make(self, job: Object) -> None:
        spec = job["spec"]
        assert spec["completions"] == spec["parallelism"]
        for number in range(spec["parallelism"]):
            made: Object = {
                "metadata": {"name": f"gpu-check-{number}", "uid": f"pod-{number}"},
                "status": {"phase": self.phase},
            }
            if self.rejects:
                why = {"reason": "UnexpectedAdmissionError", "message": "Pod was rejected: gone"}
                made["status"] = {"phase": "Failed", **why}
            self.tried.append(made)

    def open(self, method: str, path: str, *, query: Any) -> SimpleNamespace:
        if self.phase == "Pending" or self.rejects:
            raise ApiError("container is waiting to start", 400)
        return SimpleNamespace(data=self.log.encode())


class Clock:
    """Time that passes only while somebody sleeps; what happens meanwhile is given."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.events: dict[float, Callable[[], None]] = {}

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        for moment in [one for one in self.events if one <= self.now_s]:
            self.events.pop(moment)()
