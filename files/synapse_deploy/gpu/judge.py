"""What a pod told of the GPU, and why one told nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

DONE = "SEEN"
REJECTED = "UnexpectedAdmissionError"
CUDA = re.compile(r"CUDA[A-Z ]* Version *: *([\d.]+)")
ROW = re.compile(r"^(?P<name>.+), (?P<uuid>GPU-\S+), (?P<memory>\d+), (?P<driver>[\d.]+)$")
# What nvidia-smi says, and what it means.
MEANINGS = {
    "version mismatch": "the driver's library is newer than the module that runs: reboot the "
    "server",
    "Unknown Error": "the pod lost its device, as older modes of the toolkit do whenever systemd "
    "reloads: make site sets the toolkit to CDI; start the engines' pods anew",
    "communicate with the NVIDIA driver": "no module of the driver is loaded: make doctor says why",
    "not found": "the runtime has put nothing of the driver into the pod: make doctor looks at "
    "the toolkit and its CDI specification",
}


@dataclass(frozen=True)
class Seen:
    """A GPU as a pod saw it."""

    name: str
    uuid: str
    memory_mib: int
    driver: str
    cuda: str

    def __str__(self) -> str:
        """Return it as people read it."""
        memory = f"{self.memory_mib / 1024:.1f} GiB"
        return f"{self.name}, {memory}, driver {self.driver}, CUDA {self.cuda or 'unknown'}"


def seen(log: str) -> tuple[Seen, ...]:
    """Return the GPUs that a pod has told of; none while it has not told all."""
    lines = [line.strip() for line in log.splitlines()]
    if DONE not in lines:
        return ()
    cuda = CUDA.search(log)
    rows = [found for line in lines if (found := ROW.match(line))]
    return tuple(
        Seen(row["name"], row["uuid"], int(row["memory"]), row["driver"], cuda[1] if cuda else "")
        for row in rows
    )


def runs(pod: Object) -> bool:
    """Tell whether a pod runs now."""
    return bool(pod.get("status", {}).get("phase") == "Running")


def is_rejected(pod: Object) -> bool:
    """Tell whether the kubelet refused a pod whose share was gone when it came."""
    return bool(pod.get("status", {}).get("reason") == REJECTED)


def why_failed(pod: Object, log: str) -> str:
    """Return why a pod that ended told nothing, in its own words and what they mean."""
    words = " ".join(line.strip() for line in log.splitlines() if line.strip())[-300:]
    meaning = next((text for key, text in MEANINGS.items() if key in words), "")
    told = f'said "{words}"' if words else f"ended without a word: {_ended(pod)}"
    return f"A pod with the GPU {told}{f': {meaning}' if meaning else ''}."


def why_waiting(
    pods: Iterable[Object], warnings: Iterable[str], wanted: int, limit_s: float
) -> str:
    """Return why not all pods ran at the same time within the limit."""
    pods = list(pods)
    running = sum(map(runs, pods))
    reasons = sorted({reason for pod in pods if (reason := _waits_for(pod))} | set(warnings))
    told = " ".join(f"{reason.rstrip('.')}." for reason in reasons) or "Nothing says why."
    return (
        f"{running} of {wanted} pods with a GPU ran at the same time within {limit_s:.0f} s. {told}"
    )


def _waits_for(pod: Object) -> str:
    status = pod.get("status", {})
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"Not scheduled: {condition.get('message') or condition.get('reason')}"
    for container in status.get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting:
            return f"{waiting.get('reason', 'Waiting')}: {waiting.get('message', '')}".rstrip(": ")
    return ""


def _ended(pod: Object) -> str:
    status = pod.get("status", {})
    for container in status.get("containerStatuses") or []:
        ended = container.get("state", {}).get("terminated") or {}
        if ended:
            return str(ended.get("message") or ended.get("reason") or ended.get("exitCode"))
    return str(status.get("message") or status.get("reason") or "no reason is given")
