"""What is killed, and how it is known to be back."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_cli.cluster import Cluster

BACK_LIMIT_S = 180.0
LOOK_S = 0.3


class NotBackError(Exception):
    """What was killed did not come back within its limit."""


@dataclass(frozen=True)
class Victim:
    """A pod that is killed: what the table calls it, and the labels that find it."""

    name: str
    selector: str


def victims(models: tuple[str, ...]) -> tuple[Victim, ...]:
    """Every component once: each engine, the arbiter, the gateway, LiteLLM and Ollama."""
    engines = [
        Victim(f"engine {model}", f"app.kubernetes.io/name=vllm,app.kubernetes.io/instance={model}")
        for model in models
    ]
    return (
        engines[0],
        Victim("arbiter", "app.kubernetes.io/name=synapse-arbiter"),
        engines[1],
        Victim("gateway", "app.kubernetes.io/name=gateway"),
        Victim("LiteLLM", "app.kubernetes.io/name=litellm"),
        engines[2],
        Victim("ollama", "app.kubernetes.io/name=ollama"),
        Victim("arbiter, again", "app.kubernetes.io/name=synapse-arbiter"),
    )


def kill(cluster: Cluster, victim: Victim) -> set[str]:
    """Kill its pod at once, without a word of warning; return the ids of what was killed."""
    pods = cluster.pods(victim.selector)
    for pod in pods:
        cluster.core.delete_namespaced_pod(
            pod.metadata.name, cluster.namespace, grace_period_seconds=0
        )
    return {pod.metadata.uid for pod in pods}


async def wait_until_back(cluster: Cluster, victim: Victim, killed: set[str]) -> float:
    """Return the seconds until another pod of it is ready, or raise NotBackError."""

    def back() -> bool:
        pods = cluster.pods(victim.selector)
        return bool(pods) and all(pod.metadata.uid not in killed and _ready(pod) for pod in pods)

    return await until(back, f"{victim.name} to be ready again")


async def until(holds: Callable[[], bool], what: str) -> float:
    """Return the seconds until something holds, looked at from a thread, or raise NotBackError."""
    began_s = time.monotonic()
    while not await asyncio.to_thread(holds):
        if time.monotonic() - began_s > BACK_LIMIT_S:
            raise NotBackError(f"Waited {BACK_LIMIT_S:.0f} s for {what}.")
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - began_s


def _ready(pod: Any) -> bool:
    conditions = pod.status.conditions or []
    return any(one.type == "Ready" and one.status == "True" for one in conditions)
