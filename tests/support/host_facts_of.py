"""Facts of servers for unit tests: a bare one, and one whose GPU serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synapse_host.facts import (
    Card,
    CdiSpec,
    Disk,
    Driver,
    Gpu,
    HostFacts,
    K3s,
    Listener,
    System,
    Toolkit,
)

SSH = Listener("tcp", "0.0.0.0", 22, "sshd")
RTX_5090 = Gpu("0000:01:00.0", "10de", "2b85", "nvidia", largest_bar_gib=32.0)
CARD = Card(
    name="NVIDIA GeForce RTX 5090",
    uuid="GPU-5e3a1c1e-0b7f-4d5c-9c0e-2f6b8d1a7e90",
    memory_mib=32607,
    reserved_mib=484,
    persistence=True,
    power_limit_w=575.0,
    power_default_w=575.0,
    power_min_w=400.0,
    power_max_w=600.0,
)
DRIVER = "580.126.20"


def facts(**changes: Any) -> HostFacts:
    """A fresh Debian server without a GPU, nothing but ssh; `facts(k3s=K3s())` changes a part."""
    system = System(
        id="debian",
        version="13",
        codename="trixie",
        kernel="6.12.48+deb13-amd64",
        architecture="x86_64",
        hostname="forge",
        has_systemd=True,
        cores=16,
        memory_gib=62.6,
        clock_synchronized=True,
        clock_service="systemd-timesyncd.service",
        open_files=524288,
        address="192.168.1.10",
        reached_from="192.168.1.20",
        reached_at=22,
        now="2026-12-01T08:00:00Z",
    )
    disks = (Disk("/", "ext4", 915.0, 860.0), Disk("/boot/efi", "vfat", 1.0, 0.9))
    return replace(HostFacts(system, disks, (SSH,)), **changes)


def forge(**changes: Any) -> HostFacts:
    """A server with an RTX 5090 on Ubuntu, set up by Synapse: K3s, driver and toolkit are well."""
    bare = facts()
    made = replace(
        bare,
        system=replace(
            bare.system,
            id="ubuntu",
            version="24.04",
            codename="noble",
            kernel="6.8.0-88-generic",
            cores=32,
            memory_gib=188.6,
        ),
        k3s=K3s(
            version="v1.36.3+k3s1",
            binary="/usr/local/bin/k3s",
            unit="active",
            main_pid=812,
            has_run=True,
            datastore="sqlite",
            arguments=("server",),
            config={
                "protect-kernel-defaults": True,
                "kubelet-arg": ["image-gc-high-threshold=90", "image-gc-low-threshold=88"],
            },
            config_mode="0600",
            containerd_runtimes=("runc", "nvidia"),
            certificates_end="2027-11-30T00:00:00Z",
            ours="v1.36.3+k3s1",
            was_lived_in=False,
        ),
        gpus=(RTX_5090,),
        driver=Driver(
            loaded=DRIVER,
            kind="open",
            library=DRIVER,
            cuda="13.0",
            cards=(CARD,),
            packages={"nvidia-driver-580-open": f"{DRIVER}-0ubuntu0.24.04.1"},
            held=("nvidia-driver-580-open",),
        ),
        toolkit=Toolkit(
            version="1.20.2",
            runtimes=("/usr/bin/nvidia-container-runtime",),
            mode="auto",
            cdi=(
                CdiSpec(
                    "/var/run/cdi/nvidia.yaml",
                    ("nvidia.com/gpu=0", f"nvidia.com/gpu={CARD.uuid}", "nvidia.com/gpu=all"),
                    DRIVER,
                ),
            ),
            sources=("/etc/apt/sources.list.d/nvidia-container-toolkit.sources",),
        ),
    )
    return replace(made, **changes)


def with_system(before: HostFacts, **changes: Any) -> HostFacts:
    """The same server with another system: `with_system(facts(), has_systemd=False)`."""
    return replace(before, system=replace(before.system, **changes))


def with_k3s(before: HostFacts, **changes: Any) -> HostFacts:
    """The same server with another K3s."""
    return replace(before, k3s=replace(before.k3s, **changes))


def with_driver(before: HostFacts, **changes: Any) -> HostFacts:
    """The same server with another driver."""
    return replace(before, driver=replace(before.driver, **changes))


def with_toolkit(before: HostFacts, **changes: Any) -> HostFacts:
    """The same server with another toolkit."""
    return replace(before, toolkit=replace(before.toolkit, **changes))
