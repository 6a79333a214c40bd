"""Which packages a server's GPU needs, by distribution, and which of them are missing.

Ubuntu: modules that Canonical built and signed, so that Secure Boot takes them, and the driver
without a desktop. `nvidia-driver-*` is not used: it brings DKMS, which builds unsigned modules.
Debian: its own driver (550) is too old, so NVIDIA's repository; DKMS builds the open modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synapse_host.facts import HostFacts, System

# The kernel that each release of Ubuntu came with; a newer one is of its hardware enablement.
FIRST_KERNELS = {"22.04": "5.15", "24.04": "6.8", "26.04": "7.0"}
DEBIAN_RELEASES = ("12", "13")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# The source that the role writes: a toolkit from it is ours to bring up to date.
OUR_TOOLKIT_SOURCE = "/etc/apt/sources.list.d/synapse-nvidia-toolkit.sources"
FLAVOUR = re.compile(r"^[^-]+(?:-\d+)?-(.+)$")


@dataclass(frozen=True)
class Missing:
    """What has to be installed, and why it cannot be where it cannot."""

    driver: tuple[str, ...] = ()
    toolkit: tuple[str, ...] = ()
    """With the version of each, as apt takes it: name=1.17.0-1."""
    refusal: str = ""
    """A sentence where the driver's packages are not known here."""
    is_in_the_way: bool = False
    """Without it no container has a GPU; else it is a newer version of what Synapse installed."""


def missing(
    facts: HostFacts, *, branch: str, toolkit_version: str, replaces: bool = False
) -> Missing:
    """Return what has to be installed before containers can use the GPU.

    A driver that is there is left alone, unless this one `replaces` it. One that serves no GPU and
    of which only some packages of ours are there is completed: the power went. A toolkit is left
    alone too, unless it is ours and older.
    """
    installed = facts.driver.packages
    wanted = driver_packages(facts.system, branch)
    begun = not facts.driver.cards and any(name in installed for name in wanted)
    there = bool(facts.driver.loaded or facts.driver.library)
    refusal = ""
    driver: tuple[str, ...] = ()
    if begun:
        driver = tuple(
            name
            for name in wanted
            if name not in installed and not name.startswith("linux-headers")
        )
    elif replaces:
        driver = wanted
    elif not there:
        refusal = unknown_system(facts.system)
        driver = wanted
    has_toolkit = bool(facts.toolkit.runtimes)
    ours = OUR_TOOLKIT_SOURCE in facts.toolkit.sources
    older = ours and _numbers(facts.toolkit.version) < _numbers(toolkit_version)
    toolkit = toolkit_packages(toolkit_version) if not has_toolkit or older else ()
    return Missing(
        driver, toolkit, refusal, bool(not there or (begun and driver) or not has_toolkit)
    )


def driver_packages(system: System, branch: str) -> tuple[str, ...]:
    """Return the packages of the open driver on this system; none where it is not known."""
    if unknown_system(system):
        return ()
    flavour = _flavour(system.kernel)
    if system.id == "ubuntu":
        modules = f"linux-modules-nvidia-{branch}-open-{flavour}{_enablement(system)}"
        return (modules, f"nvidia-headless-no-dkms-{branch}-open", f"nvidia-utils-{branch}")
    return (
        f"linux-headers-{system.kernel}",
        f"linux-headers-{flavour}",
        f"nvidia-driver-pinning-{branch}",
        "nvidia-kernel-open-dkms",
        "nvidia-driver-cuda",
        "nvidia-persistenced",
    )


def toolkit_packages(version: str) -> tuple[str, ...]:
    """Return the toolkit's packages, all of one version: apt mixes them otherwise."""
    names = (
        "nvidia-container-toolkit",
        "nvidia-container-toolkit-base",
        "libnvidia-container-tools",
        "libnvidia-container1",
    )
    return tuple(f"{name}={version}-1" for name in names)


def unknown_system(system: System) -> str:
    """Return why the driver's packages are not known for this system; empty: they are."""
    if system.id == "ubuntu" and system.version in FIRST_KERNELS:
        known = True
    else:
        known = system.id == "debian" and system.version in DEBIAN_RELEASES
    if known and system.architecture in ARCHITECTURES and FLAVOUR.match(system.kernel):
        return ""
    return (
        f"Synapse installs NVIDIA's driver on Ubuntu {', '.join(FIRST_KERNELS)} and on Debian "
        f"{' and '.join(DEBIAN_RELEASES)}, with their own kernels, and this is {system.id} "
        f"{system.version} with kernel {system.kernel} on {system.architecture}. Install the "
        "driver (open modules, 580 or newer) as your distribution says, then run this again."
    )


def held_patterns(system: System) -> tuple[str, ...]:
    """Return the names, as regular expressions, that nothing may upgrade by itself.

    Module and library have to be of one version, and an upgrade by night parts them until the
    next boot. Where modules come built for one kernel, the packages that bring the next kernel
    are among them: without its modules it has no GPU.
    """
    driver = (
        r"(lib)?nvidia-(?!container).*",
        r"linux-(modules|objects|signatures)-nvidia-.*",
        r"libcuda1|cuda-drivers.*|firmware-nvidia-.*|xserver-xorg-video-nvidia.*",
    )
    if system.id == "ubuntu":
        return (*driver, r"linux-((image|headers)-)?(generic|virtual|lowlatency)(-[a-z].*)?")
    return driver


def _flavour(kernel: str) -> str:
    found = FLAVOUR.match(kernel)
    return found[1] if found else ""


def _enablement(system: System) -> str:
    """Return what the names of packages end with for a kernel newer than the release's first."""
    first = FIRST_KERNELS[system.version]
    if _flavour(system.kernel) != "generic" or system.kernel.startswith(f"{first}."):
        return ""
    return f"-hwe-{system.version}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
