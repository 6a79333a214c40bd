"""What the operator is told when the API refuses an object, and what to do where that is known."""

from __future__ import annotations

import re
from typing import Any

from synapse_deploy.kube.manifests import Manifest, label_of

# Each kind has words of its own for: this was decided when the object was made.
FIXED = re.compile(r"immutable|updates to \w+ spec|cannot change|may not change")
# The API tells which fields of a StatefulSet may change, and leaves out which one did.
FIXED_IN_STATEFUL_SETS = ("podManagementPolicy", "selector", "serviceName", "volumeClaimTemplates")


def refusal(manifest: Manifest, live: Manifest | None, reason: str, *, removable: bool) -> str:
    """Say which object was refused and why; name the command that helps where one does.

    Removable is what can be made again without loss: only that is ever to be deleted.
    """
    told = f"{label_of(manifest)} was refused: {reason.rstrip('.')}"
    if live is None or not removable or not FIXED.search(reason):
        return told
    changed = _changed_of_stateful_set(live, manifest)
    if changed:
        told = f"{label_of(manifest)} was refused: {changed} cannot be changed once it is made"
    stays = " (its claims and their data stay)" if manifest["kind"] == "StatefulSet" else ""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    command = f"kubectl delete {manifest['kind'].lower()} {name} -n {namespace}"
    return f"{told}. Delete it{stays}, the next run makes it anew: {command}"


def _changed_of_stateful_set(live: Manifest, manifest: Manifest) -> str:
    if manifest["kind"] != "StatefulSet":
        return ""
    before, after = live["spec"], manifest["spec"]
    names = [name for name in FIXED_IN_STATEFUL_SETS if name in after]
    return " and ".join(name for name in names if not _holds(before.get(name), after[name]))


def _holds(live: Any, wanted: Any) -> bool:
    """Tell whether a live value is what was asked for, whatever the cluster added to it."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            _holds(live.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list) and len(live) == len(wanted) and all(map(_holds, live, wanted))
        )
    return bool(live == wanted)
