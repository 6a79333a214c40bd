"""What a site would otherwise type about its server, derived from the server's facts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synapse_host.facts import Card, HostFacts

NAMES = ("synapse_kubeconfig", "synapse_memory_gib", "synapse_cpu_cores", "synapse_gpus")
"""The site's facts that are found, in the order in which they are written."""
MIB = 1024
NVIDIA = "10de"
KEPT_BY_DRIVER_MIB = 461
"""What the driver keeps of a GeForce where nvidia-smi does not tell: 0.45 GiB (RTX 4090, 5090)."""
CORES_LEFT = 4
"""For the system, Kubernetes, the gateway and the engines' own threads; half of a small server."""


@dataclass(frozen=True)
class Found:
    """The values for the site, and what a person should know of them."""

    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def kubeconfig_of(site: str) -> str:
    """Return where the role k3s puts the kubeconfig of a site's server, on this machine.

    In a folder of its own: those of the demo are files beside it, and a site may have its name.
    """
    return f"~/.kube/synapse/{site}.yaml"


def found(facts: HostFacts, site: str, before: Mapping[str, Any]) -> Found:
    """Return what the server has. `before` is what was found last time.

    Its GPU is kept as it was while the driver does not answer: a GPU whose driver waits for a
    reboot is not gone.
    """
    cores = facts.system.cores
    values: dict[str, Any] = {
        "synapse_kubeconfig": kubeconfig_of(site),
        "synapse_memory_gib": math.floor(facts.system.memory_gib),
        "synapse_cpu_cores": max(cores - CORES_LEFT, math.ceil(cores / 2)),
    }
    cards = [card for card in facts.driver.cards if card.memory_mib and not card.mig]
    silent = [gpu for gpu in facts.gpus if gpu.vendor == NVIDIA] and not facts.driver.cards
    if cards:
        values["synapse_gpus"] = [_gpu(cards)]
    elif silent and before.get("synapse_gpus"):
        values["synapse_gpus"] = before["synapse_gpus"]
    return Found(values, tuple(_notes(facts, cards, bool(silent))))


def vram_gib(card: Card) -> float:
    """Return what programs can use of a GPU's memory: all but what the driver keeps."""
    usable = card.memory_mib - (card.reserved_mib or KEPT_BY_DRIVER_MIB)
    return math.floor(10 * usable / MIB) / 10


def _largest(cards: list[Card]) -> Card:
    return max(cards, key=lambda card: card.memory_mib)


def _gpu(cards: list[Card]) -> dict[str, Any]:
    card = _largest(cards)
    named = {"uuid": card.uuid} if len(cards) > 1 else {}
    return {"vram_gib": vram_gib(card), **named}


def _notes(facts: HostFacts, cards: list[Card], silent: bool) -> Iterator[str]:
    if silent:
        why = f" ({facts.driver.error})" if facts.driver.error else ""
        yield (
            f"There is a GPU of NVIDIA, and its driver does not tell its memory{why}: "
            "`make doctor` says what is missing. Run `make find` again when it does."
        )
    if len(cards) > 1:
        names = ", ".join(card.name for card in cards)
        yield f"Of {len(cards)} GPUs ({names}) Synapse serves one, {_largest(cards).name}."
    for card in facts.driver.cards:
        if card.mig:
            yield f"{card.name} is cut into parts (MIG), which Synapse leaves alone."
