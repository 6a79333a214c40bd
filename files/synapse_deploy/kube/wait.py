"""Wait for the rollouts of a component together, with one limit, and say what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_deploy.kube.api import KubeApi
from synapse_deploy.kube.diagnose import explain, last_line, newest_of, pods_of
from synapse_deploy.kube.manifests import label_of
from synapse_deploy.kube.rollout import WORKLOADS, is_hopeless, missing, unready_containers

POLL_S = 1.0
SAY_EVERY_S = 10.0


class RolloutError(RuntimeError):
    """Workloads did not become ready; the message holds each one's events and last log lines."""


@dataclass(frozen=True)
class Look:
    """What a look at a workload that is not ready yet has found."""

    path: str
    workload: dict[str, Any]
    left: int
    pods: list[dict[str, Any]]


def wait_for_rollouts(
    api: KubeApi, manifests: list[dict[str, Any]], limit_s: float, say: Callable[[str], None]
) -> None:
    """Return when every workload runs its newest revision.

    One that cannot become ready keeps nobody from waiting for the others: at the end, at the
    latest after limit_s, RolloutError names each that failed.
    """
    started = told = time.monotonic()
    paths = [api.path_of(manifest) for manifest in manifests if manifest["kind"] in WORKLOADS]
    failures: list[str] = []
    shown: dict[str, str] = {}
    while True:
        waiting, failed = _look_at(api, paths)
        failures += failed
        if time.monotonic() - started > limit_s:
            late = f"was not ready within {limit_s:.0f} s (kube_objects_wait_s)"
            failures += [explain(api, look.workload, look.pods, late) for look in waiting]
            break
        if not waiting:
            break
        for failure in failed:
            say(f"{failure.splitlines()[0]} Waiting goes on for the others.")
        if time.monotonic() - told > SAY_EVERY_S:
            told = time.monotonic()
            _tell(api, waiting, shown, say)
        paths = [look.path for look in waiting]
        time.sleep(POLL_S)
    if failures:
        raise RolloutError("\n".join(failures))


def _look_at(api: KubeApi, paths: list[str]) -> tuple[list[Look], list[str]]:
    """Return what is still to be waited for, and an explanation of each that is hopeless."""
    waiting, failed = [], []
    for path in paths:
        workload = api.call("GET", path)
        left = missing(workload)
        pods = pods_of(api, workload) if left else []
        if is_hopeless(pods) and is_hopeless(newest := newest_of(api, workload, pods)):
            failed.append(explain(api, workload, newest, "cannot become ready"))
        elif left:
            waiting.append(Look(path, workload, left, pods))
    return waiting, failed


def _tell(
    api: KubeApi, waiting: list[Look], shown: dict[str, str], say: Callable[[str], None]
) -> None:
    """Say who is waited for, and what their pods said last where that was not shown yet."""
    to_go = (f"{label_of(look.workload)} ({look.left} pod(s) to go)" for look in waiting)
    say(f"waiting for {', '.join(to_go)}")
    for look in waiting:
        namespace = look.workload["metadata"]["namespace"]
        for pod, container, _ in unready_containers(look.pods):
            line = last_line(api, namespace, pod, container)
            if line and shown.get(pod) != line:
                shown[pod] = line
                say(f"  {pod}: {line}")
