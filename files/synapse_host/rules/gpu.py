"""The GPU on the bus, and the kernel module that serves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.finding import Finding
from synapse_host.facts import Gpu, HostFacts
from synapse_host.nvidia_packages import driver_packages
from synapse_host.rules.say import DEPLOY_NVIDIA, gpu, listed

NVIDIA = "10de"
TURING, BLACKWELL = 0x1E00, 0x2900
"""The first PCI device numbers of these generations; NVIDIA counts upwards."""
OLDEST_DRIVER = "580"
"""The first branch with CUDA 13, which vLLM's image needs."""
NEEDS_OPEN = "requires use of the NVIDIA open kernel modules"
BAR_GIB = 1.0
"""A GPU with Resizable BAR shows all of its memory, one without it 256 MiB."""
REBOOT = "`sudo reboot`, or let the role do it: nvidia_reboot: true"


def nvidia(facts: HostFacts) -> list[Gpu]:
    """Return the GPUs of NVIDIA."""
    return [one for one in facts.gpus if one.vendor == NVIDIA]


def needs_open(facts: HostFacts) -> bool:
    """Tell whether one of the GPUs is served by the open kernel modules alone."""
    newest = max((int(one.device, 16) for one in nvidia(facts)), default=0)
    return newest >= BLACKWELL or any(NEEDS_OPEN in line for line in facts.driver.kernel_log)


def open_modules(facts: HostFacts) -> str:
    """Return the package with the open kernel modules, in a branch that knows this GPU."""
    branch = max(facts.driver.loaded.split(".")[0], OLDEST_DRIVER)
    names = [name for name in driver_packages(facts.system, branch) if "open" in name]
    return names[0] if names else "nvidia-open of your distribution"


def install(facts: HostFacts) -> str:
    """Return how the driver gets onto the server."""
    return (
        f"write nvidia_install: true into platform.yml and run {DEPLOY_NVIDIA}, or install "
        f"{open_modules(facts)} yourself and reboot"
    )


def present(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """A GPU is there where the site names one, and new enough for CUDA 13."""
    found, wanted = nvidia(facts), bool(site.get("synapse_gpus"))
    if not found:
        yield gpu(
            "device",
            "none of NVIDIA on the PCI bus",
            "The site names one in synapse_gpus: is it seated and powered (`lspci -nn | grep -i "
            "nvidia`), and passed through to a virtual machine? Without one, take synapse_gpus "
            "out of platform.yml."
            if wanted
            else "",
        )
        return
    old = [one for one in found if int(one.device, 16) < TURING]
    names = facts.driver.cards or ()
    seen = listed(card.name for card in names) or listed(
        f"{one.vendor}:{one.device} at {one.address}" for one in found
    )
    if old and len(old) == len(found):
        yield gpu(
            "device",
            seen,
            "It is older than Turing, which CUDA 13 and so vLLM's image need: take synapse_gpus "
            "out of platform.yml; models on the CPU answer.",
        )
    elif not wanted:
        yield gpu(
            "device",
            seen,
            "The site names no GPU: `make find` writes it down as synapse_gpus.",
            is_note=True,
        )
    else:
        yield gpu("device", seen)


def bound(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """No other kernel driver holds the GPU."""
    for one in nvidia(facts):
        if one.driver == "nouveau":
            yield gpu(
                "kernel driver",
                f"nouveau holds {one.address}",
                f"It can't compute with it: {install(facts)}; NVIDIA's package keeps nouveau away "
                "from the next boot on.",
            )
        elif one.driver == "vfio-pci":
            yield gpu(
                "kernel driver",
                f"vfio-pci holds {one.address}",
                "It is passed through to a virtual machine. To use it here, take its numbers out "
                f"of vfio's `ids=` ({one.vendor}:{one.device}) in /etc/modprobe.d and the kernel's "
                "command line, `sudo update-initramfs -u`, reboot; or name the virtual machine in "
                "hosts.yml.",
            )


def module(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """NVIDIA's module is loaded, the one that this GPU needs, and shows the GPU."""
    it = facts.driver
    if not nvidia(facts) or any(one.driver in ("nouveau", "vfio-pci") for one in nvidia(facts)):
        return
    if it.loaded and it.kind == "closed" and needs_open(facts):
        yield gpu(
            "driver",
            f"{it.loaded}, the closed module",
            f"This GPU needs the open modules, package {open_modules(facts)}: "
            f"`sudo apt install {open_modules(facts)}`, then reboot.",
        )
    elif it.loaded and not it.cards and it.library in ("", it.loaded):
        yield gpu("driver", f"{it.loaded}, and no device", _no_device(facts))
    elif it.loaded:
        yield gpu("driver", f"{it.loaded}, {it.kind or 'unknown'} module, CUDA {it.cuda or '?'}")
    elif it.library and it.secure_boot and it.key_enrolled is False:
        yield gpu(
            "driver",
            f"{it.library}, refused by Secure Boot",
            "The module is signed with a key that this machine does not know: `sudo mokutil "
            "--import /var/lib/shim-signed/mok/MOK.der`, reboot and confirm it on the screen. "
            "Or take modules that the distribution signed: on Ubuntu "
            f"{open_modules(facts)}.",
        )
    elif it.library:
        why = next(reversed(it.kernel_log), "")
        said = f" The kernel said: {why}." if why else ""
        pending = facts.system.reboot_required_by
        remedy = f"{REBOOT}." if pending else "`sudo modprobe nvidia` says why; a reboot may do."
        yield gpu("driver", f"{it.library} installed, no module loaded", remedy + said)
    else:
        yield gpu("driver", "none", f"NVIDIA's driver is missing: {install(facts)}.")


def _no_device(facts: HostFacts) -> str:
    small = [one for one in nvidia(facts) if 0 < one.largest_bar_gib < BAR_GIB]
    hint = " It shows 256 MiB of its memory only, so they are off." if small else ""
    said = f" It said: {facts.driver.error}." if facts.driver.error else ""
    return (
        "The module is loaded and finds no device: switch on Resizable BAR and Above 4G Decoding "
        f"in the BIOS, and look at the power cable.{hint}{said}"
    )


RULES = (present, bound, module)
