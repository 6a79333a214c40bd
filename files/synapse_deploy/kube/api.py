"""A thin client of the Kubernetes API: the official transport, plain dictionaries in and out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config

FIELD_MANAGER = "synapse"
REQUEST_LIMIT_S = 30
APPLY_TYPE = "application/apply-patch+yaml"
MERGE_TYPE = "application/merge-patch+json"


class ApiError(RuntimeError):
    """The cluster refused or could not be reached; the message is a sentence for the operator."""

    def __init__(self, message: str, status: int = 0) -> None:
        """Keep the HTTP status beside the sentence; 0 means there was no answer."""
        super().__init__(message)
        self.status = status


class KubeApi:
    """One cluster, spoken to by path; which kinds exist is asked once per group and version."""

    def __init__(self, kubeconfig: str) -> None:
        """Read the kubeconfig; nothing is sent yet."""
        try:
            self._client: Any = config.new_client_from_config(  # type: ignore[no-untyped-call]
                config_file=os.path.expanduser(kubeconfig),
                context=os.environ.get("K8S_AUTH_CONTEXT"),
                persist_config=False,
            )
        except config.ConfigException as error:
            raise ApiError(
                f"No usable kubeconfig at {kubeconfig} ({str(error).rstrip('.')}); "
                "set KUBECONFIG, or synapse_kubeconfig in platform.yml of your site."
            ) from error
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        limit_s: float | None = REQUEST_LIMIT_S,
        query: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and return the open response; a status above 299 raises ApiError."""
        url = f"{path}?{urlencode(query)}" if query else path
        request = self._client.param_serialize(
            method,
            url,
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=limit_s).response
        except (urllib3.exceptions.HTTPError, client.ApiException) as error:
            raise ApiError(_unreachable(self._client.configuration.host, error)) from error
        if response.status > 299:
            raise ApiError(_reason(response.data), response.status)
        answer: urllib3.BaseHTTPResponse = response
        return answer

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Send one request and return its JSON answer."""
        data = self.open(method, path, body, **options).data
        answer: dict[str, Any] = json.loads(data) if data else {}
        return answer

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what lies at a path, or None where there is nothing."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def knows(self, api_version: str, kind: str) -> bool:
        """Tell whether the cluster has this kind of object."""
        return kind in self._resources(api_version)

    def path(self, api_version: str, kind: str, namespace: str | None, name: str = "") -> str:
        """Return the path of one object, or of all of a kind where no name is given."""
        if not self.knows(api_version, kind):
            raise ApiError(f"The cluster does not know {kind} of {api_version}.", 404)
        plural, namespaced = self._resources(api_version)[kind]
        middle = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{_group_path(api_version)}{middle}/{plural}" + (f"/{name}" if name else "")

    def path_of(self, manifest: dict[str, Any]) -> str:
        """Return the path of a rendered object."""
        metadata = manifest["metadata"]
        return self.path(
            manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"]
        )

    def apply(self, manifest: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        """Apply one object server-side and return it as the cluster now sees it."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        if dry_run:
            query["dryRun"] = "All"
        path = self.path_of(manifest)
        return self.call("PATCH", path, manifest, content_type=APPLY_TYPE, query=query)

    def _resources(self, api_version: str) -> dict[str, tuple[str, bool]]:
        if api_version not in self._kinds:
            found = self.find(_group_path(api_version)) or {}
            self._kinds[api_version] = {
                entry["kind"]: (entry["name"], entry["namespaced"])
                for entry in found.get("resources", [])
                if "/" not in entry["name"]
            }
        return self._kinds[api_version]


def _group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _reason(data: bytes) -> str:
    """Return the sentence in an error: Kubernetes calls it `message`, what it proxies `error`."""
    try:
        found = json.loads(data)
        return str(found.get("message") or found["error"])
    except (ValueError, KeyError, AttributeError):
        return data.decode(errors="replace")[:600]


def _unreachable(host: str, error: Exception) -> str:
    return f"The Kubernetes API at {host} does not answer: {getattr(error, 'reason', error)}"
