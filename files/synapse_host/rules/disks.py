"""Disks: that what the site keeps fits, and lies where it may lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.engines import OLLAMA, PIPER, SPEACHES, VLLM
from synapse_common.finding import Finding
from synapse_host.facts import Disk, HostFacts
from synapse_host.rules.say import listed, server, share

FULL = 85
"""Per cent: from here Kubernetes removes images, those that were loaded by hand too."""
EVICTS = 95
"""Per cent: from here K3s takes pods off the node."""
ROOM_GIB = 10.0
"""For K3s itself, logs and what is unpacked, beside volumes and images."""
IMAGES_GIB = 15.0
"""Unpacked: gateway and LiteLLM, Ollama, Speaches, Python and those of K3s; an estimate."""
GPU_IMAGES_GIB = 30.0
"""Unpacked: vLLM's alone; an estimate."""
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs")
STORES = (
    ("synapse_gpu_store_gib", (VLLM.name,)),
    ("synapse_cpu_store_gib", (OLLAMA.name,)),
    ("synapse_speech_store_gib", (SPEACHES.name, PIPER.name)),
)


def _named(site: Mapping[str, Any]) -> dict[str, str]:
    """Return the folders that the site names."""
    disks = site.get("synapse_disks")
    return {key: path for key, path in disks.items() if path} if disks else {}


def _places(facts: HostFacts, site: Mapping[str, Any]) -> dict[str, str]:
    """Return where models, images and backups lie, as the site says it or K3s has it."""
    has = facts.k3s.data_dir
    return {"models": has, "images": has} | _named(site)


def _needs(site: Mapping[str, Any]) -> tuple[dict[str, float], float]:
    """Return what volumes and images may take, and what the models take that tell their size."""
    entries = [model for model in site.get("synapse_models") or () if isinstance(model, Mapping)]
    if not site.get("synapse_gpus"):
        entries = [model for model in entries if model.get("engine") != VLLM.name]
    used = {model.get("engine") for model in entries}
    stores = sum(
        float(site.get(name) or 0) for name, engines in STORES if used.intersection(engines)
    )
    images = (IMAGES_GIB + ROOM_GIB if used else 0.0) + GPU_IMAGES_GIB * (VLLM.name in used)
    sizes = sum(float(model.get("disk_gib") or 0) for model in entries)
    return {"models": stores, "images": images}, sizes


def mounted(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Each folder that the site names lies on a disk that is mounted."""
    for key, path in _named(site).items():
        disk = facts.disk_of(path)
        if disk is None or disk.mount == "/":
            yield server(
                f"disk for {key}",
                f"no disk is mounted at {path}",
                f"All of it would fill the system's disk: mount one (`lsblk`, then a line in "
                f"/etc/fstab and `sudo mount {path}`), or correct synapse_disks.{key}.",
            )


def network(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """The datastore and images lie on a disk of the server; models had better."""
    for key, path in _places(facts, site).items():
        disk = facts.disk_of(path)
        if disk is None or disk.type not in NETWORK or key == "backups":
            continue
        remedy = (
            "SQLite and container images need a disk of the server itself: correct "
            "synapse_disks.images."
            if key == "images"
            else "Models are mapped into memory and read at each wake: over a network that takes "
            "minutes. A disk of the server is better."
        )
        yield server(f"disk for {key}", f"{path} is {disk.type}", remedy, is_note=key == "models")


def room(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that the site may keep has room, images beside models too."""
    places, (needs, sizes) = _places(facts, site), _needs(site)
    together: dict[Disk, list[str]] = {}
    for key in needs:
        if needs[key] and (disk := facts.disk_of(places[key])):
            together.setdefault(disk, []).append(key)
    for disk, keys in together.items():
        # What is used may be ours once K3s has run: then only the size of the disk tells.
        has = disk.size_gib * FULL / 100 if facts.k3s.has_run else disk.free_gib
        needed = sum(needs[key] for key in keys)
        text = " and ".join(f"{key} {needs[key]:.0f}" for key in keys)
        remedy = (
            f"The catalogue may take {needed:.0f} GiB there ({text}), so models would fill the "
            "disk and Kubernetes throw images away: name a larger disk in synapse_disks, or "
            "lower synapse_gpu_store_gib, synapse_cpu_store_gib, synapse_speech_store_gib."
        )
        asked_for = any(key in _named(site) for key in keys)
        certain = "models" in keys and sizes > has
        yield server(
            f"room for {listed(keys)}",
            f"{disk.mount}: {needed:.0f} of {has:.0f} GiB",
            remedy if needed > has else "",
            is_note=not (asked_for or certain),
            goes_on=not asked_for,  # then the downloads that find no room fail, and no others
        )


def fill(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """The disk with the images is not so full that Kubernetes removes some."""
    disk = facts.disk_of(_places(facts, site)["images"])
    if disk is None:
        return
    used = share(disk.size_gib - disk.free_gib, disk.size_gib)
    remedy = (
        f"From {FULL} % Kubernetes removes images that no pod uses, and from {EVICTS} % pods: "
        f"make room (`sudo du -xh --max-depth=2 {disk.mount} | sort -h | tail`), or move models "
        "to a disk of their own with synapse_disks.models."
    )
    yield server(
        "disk with images",
        f"{disk.mount} is {used} % full",
        remedy if used >= FULL else "",
        is_note=used < EVICTS,
    )


RULES = (mounted, network, room, fill)
