"""The way to Ollama through the Kubernetes API alone: the pod's proxy, and exec for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import urllib3

from synapse_deploy.kube.api import ApiError, KubeApi
from synapse_deploy.ollama.client import OllamaError

PORT = 11434
SELECTOR = "app.kubernetes.io/name=ollama,app.kubernetes.io/instance=ollama"
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class KubeTransport:
    """The one ready pod of Ollama in a namespace."""

    def __init__(self, api: KubeApi, namespace: str) -> None:
        """Find the pod; raise OllamaError where none is ready."""
        self._api = api
        self._namespace = namespace
        path = f"/api/v1/namespaces/{namespace}/pods"
        try:
            pods = api.call("GET", path, query={"labelSelector": SELECTOR})["items"]
        except ApiError as error:
            raise OllamaError(str(error)) from error
        ready = [pod["metadata"]["name"] for pod in pods if _is_ready(pod)]
        if not ready:
            raise OllamaError(f"no pod of Ollama is ready in namespace {namespace}")
        self._pod = ready[0]

    def lines(self, method: str, path: str, body: Any, limit_s: float) -> Iterator[bytes]:
        """Yield the lines of an answer."""
        url = f"/api/v1/namespaces/{self._namespace}/pods/{self._pod}:{PORT}/proxy{path}"
        try:
            response = self._api.open(method, url, body, limit_s=limit_s)
            try:
                yield from response
            finally:
                response.close()  # leaving early is how a pull is cancelled
        except (ApiError, urllib3.exceptions.HTTPError) as error:
            raise OllamaError(str(error)) from error

    def run(self, command: list[str], limit_s: float) -> str:
        """Return what a command in the container prints."""
        try:
            return self._api.execute(self._namespace, self._pod, command, limit_s)
        except ApiError as error:
            raise OllamaError(_last_line(str(error))) from error


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    ready = any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _last_line(text: str) -> str:
    """Return the last line without the terminal codes of a progress display."""
    lines = [line.strip() for line in TERMINAL_CODES.sub("\n", text).splitlines()]
    return next((line for line in reversed(lines) if line), text)
