"""Try the GPU as engines use it: pods of the runtime class, several at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_deploy.gpu import judge, offer
from synapse_deploy.gpu.job import JOB, job
from synapse_deploy.gpu.waiting import POLL_S, wait_until
from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.kube.diagnose import last_line, pods_of, warnings_of

MOST_PODS = 2
UNREACHED = 0

Object = dict[str, Any]


class GpuError(RuntimeError):
    """The GPU cannot be used; the message says why, and what to do."""


class RejectedError(GpuError):
    """The kubelet had no share for a pod, although one was offered."""


@dataclass(frozen=True)
class Limits:
    """How long each wait may take."""

    offer_s: float
    check_s: float


class Gpu:
    """The GPU of one cluster."""

    def __init__(self, api: KubeApi, say: Callable[[str], None]) -> None:
        """Remember whom to ask; nothing is sent yet."""
        self._api = api
        self._say = say

    def wait_for_runtime_class(self, limit_s: float) -> None:
        """Return when K3s offers the RuntimeClass; raise GpuError after the limit."""
        path = f"/apis/node.k8s.io/v1/runtimeclasses/{offer.RUNTIME_CLASS}"
        told = ""

        def there() -> bool:
            nonlocal told
            try:
                return self._api.find(path) is not None
            except ApiError as error:
                if error.status != UNREACHED:
                    raise
                told = f" {error}"
                return False

        if not wait_until(
            there, limit_s, f"the RuntimeClass {offer.RUNTIME_CLASS} of K3s", self._say
        ):
            raise GpuError(
                f"The cluster has no RuntimeClass {offer.RUNTIME_CLASS} after {limit_s:.0f} s. K3s "
                "makes it at its start, unless it runs with --disable=runtimes." + told
            )

    def plugins_of_others(self) -> list[str]:
        """Return the device plugins that are not ours, by name."""
        return [offer.named(found) for found in offer.of_others(self._daemonsets())]

    def wait_for_offer(self, engines: int, limit_s: float) -> int:
        """Return how often the GPU is offered, once it is for all engines; else GpuError."""
        has = 0

        def enough() -> bool:
            nonlocal has
            has = offer.offered(self._list("v1", "Node"))
            return has >= engines

        if not wait_until(
            enough, limit_s, f"a node that offers {offer.SHARE} {engines} times", self._say
        ):
            raise GpuError(
                offer.why_not_offered(self._daemonsets(), engines, has, self._last_words())
            )
        return has

    def try_it(self, namespace: str, image: str, engines: int, limits: Limits) -> list[str]:
        """Return sentences about what pods saw; raise GpuError when one sees nothing."""
        started = time.monotonic()
        while True:
            has = self.wait_for_offer(engines, limits.offer_s)
            wanted = min(MOST_PODS, has - offer.taken(self._list("v1", "Pod")))
            if wanted < 1:
                return [
                    f"The GPU is offered {has} times, and engines have them all: no pod was tried."
                ]
            try:
                seen = self._try_once(namespace, image, wanted, limits.check_s)
            except RejectedError:
                # A plugin that starts anew takes its offer back a moment after its pod is gone.
                if time.monotonic() - started >= limits.offer_s:
                    raise
                time.sleep(POLL_S)
            else:
                return self._told(seen, has, engines)

    def _try_once(
        self, namespace: str, image: str, wanted: int, limit_s: float
    ) -> list[tuple[judge.Seen, ...]]:
        path = self._api.path("batch/v1", "Job", namespace, JOB)
        self._delete(path)
        made = job(namespace, image)
        made["spec"] |= {"parallelism": wanted, "completions": wanted}
        folder = self._api.path("batch/v1", "Job", namespace)
        uid = self._api.call("POST", folder, made)["metadata"]["uid"]
        try:
            return self._overlap(namespace, uid, wanted, limit_s)
        finally:
            self._delete(path)

    def _told(self, seen: list[tuple[judge.Seen, ...]], has: int, engines: int) -> list[str]:
        cards = [str(card) for card in seen[0]]
        if len(seen) == 1:
            shared = "One pod saw it; a second was not tried, for no share is free."
        else:
            shared = f"{len(seen)} pods saw it at the same time."
        return [*cards, f"{shared} It is offered {has} times, for {_engines(engines)}."]

    def _overlap(
        self, namespace: str, uid: str, wanted: int, limit_s: float
    ) -> list[tuple[judge.Seen, ...]]:
        """Return what each of the pods saw while all of them ran."""
        pods: list[Object] = []
        told: list[tuple[judge.Seen, ...]] = []

        def all_at_once() -> bool:
            nonlocal pods, told
            # By its number: pods of a Job of the same name before may still be on their way out.
            query = {"labelSelector": f"batch.kubernetes.io/controller-uid={uid}"}
            path = self._api.path("v1", "Pod", namespace)
            pods = [
                pod
                for pod in self._api.call("GET", path, query=query)["items"]
                if "deletionTimestamp" not in pod["metadata"]
            ]
            logs = [self._log(namespace, pod["metadata"]["name"]) for pod in pods]
            for pod, log in zip(pods, logs, strict=True):
                if judge.is_rejected(pod):
                    raise RejectedError(judge.why_failed(pod, log))
                if pod.get("status", {}).get("phase") in ("Failed", "Succeeded"):
                    raise GpuError(judge.why_failed(pod, log))
            told = [judge.seen(log) for log in logs]
            return len(pods) == wanted and all(map(judge.runs, pods)) and all(told)

        if not wait_until(all_at_once, limit_s, f"{wanted} pods that try the GPU", self._say):
            warnings = [
                warning
                for pod in pods
                for warning in warnings_of(self._api, namespace, pod["metadata"]["uid"])[-1:]
            ]
            raise GpuError(judge.why_waiting(pods, warnings, wanted, limit_s))
        return told

    def _daemonsets(self) -> list[Object]:
        return self._list("apps/v1", "DaemonSet")

    def _list(self, api_version: str, kind: str) -> list[Object]:
        found: list[Object] = self._api.call("GET", self._api.path(api_version, kind, None))[
            "items"
        ]
        return found

    def _last_words(self) -> dict[str, str]:
        """Return what the pods of each device plugin said last, by the plugin's name."""
        words = {}
        for plugin in offer.plugins(self._daemonsets()):
            for pod in pods_of(self._api, plugin):
                container = pod["spec"]["containers"][0]["name"]
                namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
                words[plugin["metadata"]["name"]] = last_line(self._api, namespace, name, container)
        return words

    def _log(self, namespace: str, pod: str) -> str:
        path = self._api.path("v1", "Pod", namespace, pod) + "/log"
        try:
            data: bytes = self._api.open("GET", path, query={"container": JOB}).data
        except ApiError:
            return ""  # it has not started yet
        return data.decode(errors="replace")

    def _delete(self, path: str) -> None:
        """Remove the Job; its pods follow it."""
        try:
            self._api.call("DELETE", path, query={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != 404:
                raise


def _engines(count: int) -> str:
    return f"{count} engine{'s' if count != 1 else ''}"
