"""What an engine serves of the catalogue, why the rest is missing, and another try to fetch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from synapse_common.engines import PIPER, SPEACHES
from synapse_deploy.kube.api import MERGE_TYPE, KubeApi
from synapse_deploy.kube.wait import wait_for_rollouts

# Not the role's own: what another manager has set stays when the role applies its objects.
RETRY_MANAGER = "synapse-retry"
RESTARTED = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True)
class Engine:
    """One speech engine: how it lists what it serves, and which container fetches that."""

    deployment: str
    port: int
    kind: str
    """What it serves, in the plural; the container that fetches is named so."""
    listing: str
    entries: str
    key: str


ENGINES = (
    Engine(SPEACHES.name, SPEACHES.port, "models", "v1/models", "data", "id"),
    Engine(PIPER.name, PIPER.port, "voices", "v1/audio/voices", "voices", "voice"),
)


class Availability:
    """The wanted models or voices of one engine in one namespace."""

    def __init__(self, api: KubeApi, namespace: str, engine: Engine, wanted: list[str]) -> None:
        """Look there; nothing is sent yet."""
        self.engine = engine
        self.wanted = wanted
        self._api = api
        self._namespace = namespace

    def missing(self) -> dict[str, str]:
        """Return why each that is not served is not; raise ApiError where nobody answers."""
        path = self._path("v1", "Service", f"{self.engine.deployment}:{self.engine.port}")
        listed = self._api.call("GET", f"{path}/proxy/{self.engine.listing}")[self.engine.entries]
        there = {str(entry[self.engine.key]) for entry in listed}
        reasons = self._reasons()
        unknown = (
            f"{self.engine.deployment} does not list it, and nothing is said about its download; "
            f"kubectl logs deploy/{self.engine.deployment} -n {self._namespace} may say why"
        )
        return {
            name: reasons.get(name, unknown)
            for name in self.wanted
            if name not in there or name in reasons
        }

    def _reasons(self) -> dict[str, str]:
        """Read what the newest pod's download said last: a line for each that it could not get."""
        query = {"labelSelector": f"app.kubernetes.io/name={self.engine.deployment}"}
        pods = self._api.call("GET", self._path("v1", "Pod"), query=query)["items"]
        pods = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        newest: Mapping[str, Any] = max(
            pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default={}
        )
        lines = _last_words(newest, self.engine.kind).splitlines()
        return {name: reason for name, _, reason in (line.partition(": ") for line in lines)}

    def retry(self, limit_s: float, say: Callable[[str], None]) -> None:
        """Have a new pod fetch again and wait for it; the old one serves meanwhile."""
        name = self.engine.deployment
        annotation = {RESTARTED: datetime.now(UTC).isoformat(timespec="seconds")}
        body = {"spec": {"template": {"metadata": {"annotations": annotation}}}}
        path = self._path("apps/v1", "Deployment", name)
        query = {"fieldManager": RETRY_MANAGER}
        self._api.call("PATCH", path, body, content_type=MERGE_TYPE, query=query)
        where = {"name": name, "namespace": self._namespace}
        manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": where}
        wait_for_rollouts(self._api, [manifest], limit_s, say)

    def _path(self, api_version: str, kind: str, name: str = "") -> str:
        return self._api.path(api_version, kind, self._namespace, name)


def _last_words(pod: Mapping[str, Any], container: str) -> str:
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or []
    ended = (
        status.get("state", {}).get("terminated") or {}
        for status in statuses
        if status["name"] == container
    )
    return "".join(str(found.get("message") or "") for found in ended)
