"""One component's deployment from beginning to end: the order of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synapse_deploy.kube.api import KubeApi
from synapse_deploy.kube.sync import PROGRAMS, SURROUNDINGS, Sync
from synapse_deploy.kube.wait import wait_for_rollouts


def deploy(
    api: KubeApi,
    sync: Sync,
    objects: list[dict[str, Any]],
    secrets: list[dict[str, Any]],
    *,
    wait_s: float | None,
    say: Callable[[str], None],
) -> None:
    """Apply, prune and wait; wait_s is None where nothing is written, so nothing rolls out.

    Programs that are no longer rendered go first: who is waited for may need their place. What
    programs are run with stays when a rollout fails, since the old pods go on with what they
    have; volumes are kept all the same.
    """
    sync.require_namespace(objects)
    for secret in secrets:
        exclusive = bool(secret.get("exclusive"))
        sync.generate_secret(secret["name"], secret["keys"], exclusive=exclusive)
    sync.apply(objects)
    sync.prune(objects, PROGRAMS)
    try:
        if wait_s is not None:
            wait_for_rollouts(api, objects, wait_s, say)
    finally:
        # Only now: a claim may get its volume not before the first pod that asks for it.
        sync.keep_volumes(objects)
    sync.prune(objects, SURROUNDINGS)
