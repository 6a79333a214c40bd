"""What changed about an object, as a sentence and as Ansible's diff: pure functions."""

from __future__ import annotations

import yaml

from synapse_deploy.kube.manifests import VERSION_LABEL, Manifest, Readable, label_of

# Fields the cluster writes; they say nothing about what was asked for.
SERVER_FIELDS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


def wanted_state(live: Manifest | None) -> Manifest:
    """Drop from an object all that the cluster writes by itself."""
    if live is None:
        return {}
    state = {key: value for key, value in live.items() if key != "status"}
    state["metadata"] = {
        key: value for key, value in live.get("metadata", {}).items() if key not in SERVER_FIELDS
    }
    return state


def told(action: str, before: Manifest | None, after: Manifest | None) -> str:
    """Say what is done to an object, such as `change Deployment ollama`.

    One that only got a new version as its label is not called changed: nothing restarts for it.
    """
    if before and after and _unlabelled(before) == _unlabelled(after):
        version = after["metadata"]["labels"][VERSION_LABEL]
        return f"label {label_of(after)} with version {version}"
    return f"{action} {label_of(after or before or {})}"


def _unlabelled(manifest: Manifest) -> Manifest:
    state = wanted_state(manifest)
    labels = {**(state["metadata"].get("labels") or {}), VERSION_LABEL: None}
    return {**state, "metadata": {**state["metadata"], "labels": labels}}


def difference(before: Manifest | None, after: Manifest | None) -> dict[str, str] | None:
    """Describe one object's change as Ansible's diff, or None where nothing changed."""
    old, new = wanted_state(before), wanted_state(after)
    if old == new:
        return None
    shown = after or before or {}
    header = f"{label_of(shown)} in {shown.get('metadata', {}).get('namespace', 'the cluster')}"
    return {
        "before_header": header,
        "after_header": header,
        "before": _shown(old, "(hidden)"),
        "after": _shown(new, "(hidden)" if not _data_changed(old, new) else "(hidden, changed)"),
    }


def _data_changed(old: Manifest, new: Manifest) -> bool:
    return old.get("data") != new.get("data")


def _shown(state: Manifest, mask: str) -> str:
    if not state:
        return ""
    if state.get("kind") == "Secret":
        hidden = {
            field: dict.fromkeys(state[field], mask)
            for field in ("data", "stringData")
            if state.get(field)
        }
        state = {**state, **hidden}
    return yaml.dump(state, Dumper=Readable, sort_keys=True, width=160, allow_unicode=True)
