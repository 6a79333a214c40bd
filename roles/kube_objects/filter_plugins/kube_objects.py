"""Filters that turn rendered text into the list of objects to apply."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

# Ansible loads a plugin by its file; its helpers have to be made importable.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))
import kube_manifest


def kube_objects_prepare(
    texts: list[str | None], component: str, namespace: str, version: str
) -> list[dict[str, Any]]:
    """Parse rendered templates into stamped objects in the order they are applied."""
    try:
        return kube_manifest.prepare(texts, component, namespace, version)
    except kube_manifest.ManifestError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters."""
        return {
            "kube_objects_prepare": kube_objects_prepare,
            "kube_objects_text": kube_manifest.to_text,
        }
