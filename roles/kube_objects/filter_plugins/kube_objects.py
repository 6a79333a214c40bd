"""Filters that turn rendered text into the list of objects to apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from synapse_deploy.kube import manifests


def kube_objects_prepare(
    texts: list[str | None], component: str, namespace: str, version: str
) -> list[dict[str, Any]]:
    """Parse rendered templates into stamped objects in the order they are applied."""
    try:
        return manifests.prepare(texts, component, namespace, version)
    except manifests.ManifestError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "kube_objects_prepare": kube_objects_prepare,
            "kube_objects_text": manifests.to_text,
        }
