"""NVIDIA's driver as it runs: versions that fit, upgrades, and who else uses the GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.finding import Finding
from synapse_host.facts import HostFacts
from synapse_host.rules.gpu import OLDEST_DRIVER, REBOOT, install
from synapse_host.rules.say import gpu, listed, numbers

DRIVER_PACKAGES = ("nvidia-driver", "nvidia-open", "libnvidia-compute", "linux-modules-nvidia",
                   "nvidia-kernel", "nvidia-dkms", "cuda-drivers")  # fmt: skip


def age(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """The driver is new enough for CUDA 13."""
    loaded = facts.driver.loaded
    if loaded and numbers(loaded) < numbers(OLDEST_DRIVER):
        yield gpu(
            "driver's age",
            loaded,
            f"vLLM's image needs {OLDEST_DRIVER} at least: {install(facts)}. Or name an image of "
            "CUDA 12 as vllm_image: its tag ends in -cu129.",
        )


def mismatch(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """Module and library are of one version; an upgrade without a reboot parts them."""
    it = facts.driver
    if it.loaded and it.library and it.loaded != it.library:
        yield gpu(
            "driver's versions",
            f"module {it.loaded}, library {it.library}",
            f"An upgrade replaced the library while the old module runs, and no new container "
            f"gets the GPU: {REBOOT}. Then hold the packages: "
            f"`sudo apt-mark hold {' '.join(_drivers(facts))}`.",
        )
        return
    waiting = [name for name in facts.system.reboot_required_by if "nvidia" in name]
    if waiting:
        yield gpu("driver's reboot", f"wanted by {listed(waiting)}", f"{REBOOT}.", is_note=True)


def unasked(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """The driver is not replaced by night while its module runs."""
    free = [name for name in _drivers(facts) if name not in facts.driver.held]
    if free and facts.system.unattended_upgrades:
        yield gpu(
            "driver's upgrades",
            "come by night, unasked",
            "unattended-upgrades may part module and library, and the GPU is gone until a reboot: "
            f"`sudo apt-mark hold {' '.join(free)}`.",
            is_note=True,
        )


def _drivers(facts: HostFacts) -> list[str]:
    packages = facts.driver.packages
    return [name for name in sorted(packages) if name.startswith(DRIVER_PACKAGES)]


def displays(facts: HostFacts, _site: Mapping[str, Any]) -> Iterator[Finding]:
    """No desktop takes memory that the catalogue counts on."""
    it = facts.driver
    if it.displays:
        used = sum(card.used_mib for card in it.cards)
        yield gpu(
            "desktop",
            f"{listed(it.displays)} on the GPU, {used} MiB in use",
            "The models lack this memory: `sudo systemctl set-default multi-user.target` and "
            "reboot, plug the screen into the mainboard, or lower vram_gib in synapse_gpus.",
            is_note=True,
        )


def parts(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """MIG and MPS are somebody's decision: they are left alone, and said."""
    for card in facts.driver.cards:
        if card.mig:
            yield gpu(
                "mig",
                f"on, {card.name}",
                "Synapse uses whole GPUs and leaves MIG alone; its models see a part only. "
                "`sudo nvidia-smi -mig 0` ends it.",
                is_note=True,
            )
    if facts.driver.mps:
        yield gpu(
            "mps",
            "its daemon runs",
            "Synapse shares the GPU by time and leaves MPS alone; MPS and time-slicing exclude "
            "each other, and sleeping engines have no use for equal parts. "
            "`echo quit | nvidia-cuda-mps-control` ends it.",
            is_note=True,
        )


def power(facts: HostFacts, site: Mapping[str, Any]) -> Iterator[Finding]:
    """Persistence keeps the driver loaded between programs; the power limit is a choice."""
    wanted = site.get("nvidia_power_limit_w")
    for card in facts.driver.cards:
        if wanted is not None and not card.takes_w(float(wanted)):
            low, high = card.power_min_w or 0, card.power_max_w or float("inf")
            yield gpu(
                "power limit",
                f"{wanted:g} W asked for, {card.name}",
                f"It takes {low:.0f} to {high:.0f} W: correct nvidia_power_limit_w.",
            )
        if card.persistence is False:
            yield gpu(
                "persistence",
                f"off, {card.name}",
                "The driver is unloaded whenever no program uses the GPU, and each start waits "
                "for it: `sudo systemctl enable --now nvidia-persistenced`.",
                is_note=True,
            )
        if card.power_limit_w is not None:
            usual = card.power_default_w
            less = f" of {usual:.0f}" if usual and usual != card.power_limit_w else ""
            yield gpu("power limit", f"{card.power_limit_w:.0f}{less} W, {card.name}")


RULES = (age, mismatch, unasked, displays, parts, power)
