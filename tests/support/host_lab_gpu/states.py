"""The states of a GPU and its driver that a server may be in, and what Synapse has to say of each.

The kernel's and nvidia-smi's words are those of public reports; README.md names them row by row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from host_lab_gpu.driver import AFTER, BEFORE, CURRENT, OLD

RTX_5090 = "2b85"
RTX_4090 = "2684"
# What NVML tells of an RTX 5090; numbers of brand and architecture are NVML's.
SHOWN: Mapping[str, str | int] = {
    "name": "NVIDIA GeForce RTX 5090",
    "uuid": "GPU-5e3a1c1e-0b7f-4d5c-9c0e-2f6b8d1a7e90",
    "pci_address": "00000000:01:00.0",
    "pci_ids": 0x2B8510DE,
    "total_bytes": 32607 * 2**20,
    "cuda": 13020,
    "brand": 5,
    "architecture": 10,
    "capability": "12.0",
    "persistence": 1,
    "power_limit_mw": 575000,
    "power_default_mw": 575000,
    "power_min_mw": 400000,
    "power_max_mw": 600000,
}


@dataclass(frozen=True)
class State:
    """A server's GPU: what is plugged in, what is installed, what runs."""

    device: str = RTX_5090
    """Empty: no GPU."""
    bar_gib: float = 32.0
    nouveau: bool = False
    """It holds the GPU where no module of NVIDIA's does."""
    installed: str = ""
    """The driver's version on the disk."""
    kind: str = "open"
    running: tuple[str, str] | None = None
    """Version and kind of a module other than a boot would load; ("", ""): none."""
    secure_boot: bool | None = None
    key_enrolled: bool = False
    desktop: bool = False
    wants_reboot: str = ""
    """The package that says so."""
    shown: Mapping[str, str | int] = field(default_factory=lambda: SHOWN)
    kernel_log: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    """What `make doctor` looked at, and a part of its sentence; empty where all is well."""

    def machine(self) -> dict[str, Any]:
        """Return it as the server's own file has it."""
        gpu = {
            "address": "0000:01:00.0",
            "vendor": "10de",
            "device": self.device,
            "bar_gib": self.bar_gib,
        }
        return {
            "gpus": [gpu] if self.device else [],
            "nouveau": self.nouveau,
            "running": self.running,
            "secure_boot": self.secure_boot,
            "key_enrolled": self.key_enrolled,
            "shown": dict(self.shown),
            "kernel_log": list(self.kernel_log),
        }


HEALTHY = State(installed=CURRENT)
STATES: Mapping[str, State] = {
    "no GPU": State(device="", expected={"device": "synapse_gpus"}),
    "no driver": State(expected={"driver": "NVIDIA's driver is missing"}),
    "nouveau": State(nouveau=True, expected={"kernel driver": "nouveau"}),
    "closed module": State(
        installed=CURRENT, kind="closed", expected={"driver": "needs the open modules"}
    ),
    "too old": replace(
        HEALTHY,
        device=RTX_4090,
        installed=OLD,
        shown={**SHOWN, "name": "NVIDIA GeForce RTX 4090", "cuda": 12080, "capability": "8.9",
               "architecture": 8, "pci_ids": 0x268410DE, "total_bytes": 24564 * 2**20},
        expected={"driver's age": "580 at least"},
    ),
    "two versions": State(
        installed=AFTER,
        running=(BEFORE, "open"),
        expected={"driver's versions": "An upgrade replaced the library"},
    ),
    "refused by Secure Boot": State(
        installed=CURRENT, secure_boot=True, expected={"driver": "mokutil"}
    ),
    "signed for Secure Boot": State(installed=CURRENT, secure_boot=True, key_enrolled=True),
    "desktop": replace(
        HEALTHY, desktop=True, expected={"desktop": "models lack this memory"}
    ),
    "reboot pending": State(
        installed=CURRENT,
        running=("", ""),
        nouveau=True,
        wants_reboot="nvidia-kernel-open-dkms",
        expected={"kernel driver": "reboot", "driver's reboot": "reboot"},
    ),
    "no device": State(
        installed=CURRENT, bar_gib=0.25, expected={"driver": "Resizable BAR"}
    ),
    "no persistence": replace(
        HEALTHY, shown={**SHOWN, "persistence": 0}, expected={"persistence": "nvidia-persistenced"}
    ),
    "healthy": HEALTHY,
}  # fmt: skip
