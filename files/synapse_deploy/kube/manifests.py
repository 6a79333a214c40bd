"""What kube_objects knows about manifests: pure functions on parsed YAML documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

import yaml

# The one in C reads a large ConfigMap twenty times faster; it refuses the text type of Ansible.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Manifest = dict[str, Any]

OWNER_LABEL = "synapse/owner"
VERSION_LABEL = "app.kubernetes.io/version"

# A pod finds its configuration, storage, account and network rules already there when it starts.
APPLY_ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "StorageClass",
    "RuntimeClass",
    "PersistentVolume",
    "NetworkPolicy",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
)

CLUSTER_SCOPED = {
    "Namespace",
    "CustomResourceDefinition",
    "StorageClass",
    "RuntimeClass",
    "PriorityClass",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
}


class ManifestError(ValueError):
    """A rendered document that cannot be an object; the message says which and why."""


def label_of(manifest: Manifest) -> str:
    """Name an object the way a reader would, such as `Deployment ollama`."""
    return f"{manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"


def identity(manifest: Manifest) -> tuple[str, str, str, str]:
    """Return what makes an object unique in a cluster."""
    metadata = manifest["metadata"]
    group = manifest["apiVersion"].rpartition("/")[0]
    return group, manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def own_labels(component: str, version: str) -> dict[str, str]:
    """Return the labels that every object gets, and no pod: a version restarts nothing."""
    return {OWNER_LABEL: component, VERSION_LABEL: version}


def prepare(
    texts: Iterable[str | None], component: str, namespace: str, version: str
) -> list[Manifest]:
    """Parse rendered texts, stamp labels and namespace on every object, and sort for applying.

    A text may be None: that is what Ansible makes of a template that renders nothing.
    """
    try:
        read = (yaml.load_all((text or "").encode(), LOADER) for text in texts)
        documents = [document for found in read for document in found if document]
    except yaml.YAMLError as error:
        raise ManifestError(f"{component}: the rendered text is not YAML: {error}") from error
    prepared = [_stamp(document, component, namespace, version) for document in documents]
    seen: set[tuple[str, str, str, str]] = set()
    for manifest in prepared:
        if identity(manifest) in seen:
            raise ManifestError(f"{component}: {label_of(manifest)} is rendered twice")
        seen.add(identity(manifest))
    return sorted(prepared, key=_rank)


def _stamp(document: Any, component: str, namespace: str, version: str) -> Manifest:
    if not isinstance(document, dict):
        raise ManifestError(f"{component}: a rendered document is no object: {document!r:.80}")
    missing = [key for key in ("apiVersion", "kind", "metadata") if not document.get(key)]
    if missing or not document["metadata"].get("name"):
        absent = ", ".join(missing or ["metadata.name"])
        raise ManifestError(f"{component}: a rendered {document.get('kind')} lacks {absent}")
    stamped = copy.deepcopy(document)
    metadata = stamped["metadata"]
    metadata["labels"] = {**(metadata.get("labels") or {}), **own_labels(component, version)}
    if stamped["kind"] not in CLUSTER_SCOPED:
        metadata.setdefault("namespace", namespace)
    return stamped


def _rank(manifest: Manifest) -> int:
    kind = manifest["kind"]
    return APPLY_ORDER.index(kind) if kind in APPLY_ORDER else len(APPLY_ORDER)


def plain(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Return the same objects without Ansible's marks on values, which YAML cannot write."""
    copied: list[Manifest] = json.loads(json.dumps(list(manifests)))
    return copied


class Readable(yaml.SafeDumper):
    """Writes texts of several lines as they are and indents lists, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists too, which YAML itself does not ask for."""
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Readable.add_representer(str, _text)


def to_text(manifests: Iterable[Manifest]) -> str:
    """Write objects as one multi-document text, in the order they are applied."""
    return yaml.dump_all(
        plain(manifests),
        Dumper=Readable,
        explicit_start=True,
        sort_keys=False,
        width=160,
        allow_unicode=True,
    )
