"""Which packages a server's GPU needs: distributions, kernels, and what is there already."""

from dataclasses import replace

import pytest

from host_facts_of import (
    RTX_5090,
    facts,
    forge,
    with_driver,
    with_system,
    with_toolkit,
)
from synapse_host.facts import Driver, HostFacts, Toolkit
from synapse_host.nvidia_packages import OUR_TOOLKIT_SOURCE, driver_packages, missing

BARE = facts(gpus=(replace(RTX_5090, driver=""),))
UBUNTU = (
    "linux-modules-nvidia-595-open-generic",
    "nvidia-headless-no-dkms-595-open",
    "nvidia-utils-595",
)
DEBIAN = (
    "linux-headers-6.12.48+deb13-amd64",
    "linux-headers-amd64",
    "nvidia-driver-pinning-595",
    "nvidia-kernel-open-dkms",
    "nvidia-driver-cuda",
    "nvidia-persistenced",
)
TOOLKIT = (
    "nvidia-container-toolkit=1.20.2-1",
    "nvidia-container-toolkit-base=1.20.2-1",
    "libnvidia-container-tools=1.20.2-1",
    "libnvidia-container1=1.20.2-1",
)


def wanted(of: HostFacts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing of driver and toolkit."""
    found = missing(of, branch="595", toolkit_version="1.20.2")
    return found.driver, found.toolkit


@pytest.mark.parametrize(
    ("system", "version", "kernel", "first"),
    [
        ("ubuntu", "24.04", "6.8.0-88-generic", "linux-modules-nvidia-595-open-generic"),
        ("ubuntu", "24.04", "6.17.0-14-generic",
         "linux-modules-nvidia-595-open-generic-hwe-24.04"),
        ("ubuntu", "22.04", "5.15.0-160-generic", "linux-modules-nvidia-595-open-generic"),
        ("ubuntu", "22.04", "6.8.0-88-generic", "linux-modules-nvidia-595-open-generic-hwe-22.04"),
        ("ubuntu", "26.04", "7.0.0-31-generic", "linux-modules-nvidia-595-open-generic"),
        ("ubuntu", "24.04", "6.14.0-1017-aws", "linux-modules-nvidia-595-open-aws"),
        ("debian", "13", "6.12.48+deb13-amd64", "linux-headers-6.12.48+deb13-amd64"),
        ("debian", "12", "6.1.0-40-cloud-amd64", "linux-headers-6.1.0-40-cloud-amd64"),
    ],
)  # fmt: skip
def test_modules_are_those_of_the_kernel_that_runs(
    system: str, version: str, kernel: str, first: str
) -> None:
    made = with_system(BARE, id=system, version=version, kernel=kernel)
    assert driver_packages(made.system, "595")[0] == first


def test_no_package_brings_unsigned_modules_to_ubuntu() -> None:
    made = with_system(BARE, id="ubuntu", version="24.04", kernel="6.8.0-88-generic")
    assert driver_packages(made.system, "595") == UBUNTU
    assert not [name for name in UBUNTU if "dkms" in name.replace("no-dkms", "")]


@pytest.mark.parametrize(
    "system",
    [
        {"id": "fedora", "version": "42"},
        {"id": "debian", "version": "11"},
        {"id": "ubuntu", "version": "20.04"},
        {"kernel": "6.12.48"},
        {"architecture": "riscv64"},
    ],
)
def test_a_system_whose_packages_are_not_known_is_named(system: dict[str, str]) -> None:
    found = missing(with_system(BARE, **system), branch="595", toolkit_version="1.20.2")
    assert found.driver == ()
    assert found.is_in_the_way
    for value in system.values():
        assert value in found.refusal
    assert "Install the driver (open modules, 580 or newer)" in found.refusal


HALF = {name: "1" for name in DEBIAN[3:5]}


@pytest.mark.parametrize(
    ("made", "driver", "toolkit"),
    [
        (BARE, DEBIAN, TOOLKIT),
        (forge(), (), ()),
        (forge(toolkit=Toolkit()), (), TOOLKIT),
        # By NVIDIA's own installer: no packages, and it serves.
        (with_driver(forge(), packages={}), (), ()),
        # Installed, and waiting for a reboot.
        (with_driver(forge(), loaded="", cards=()), (), ()),
        # The power went while apt worked.
        (with_driver(BARE, library="595.84", packages=HALF),
         ("nvidia-driver-pinning-595", "nvidia-persistenced"), TOOLKIT),
        (replace(forge(), driver=Driver()), UBUNTU, ()),
    ],
)  # fmt: skip
def test_only_what_is_missing_is_installed(
    made: HostFacts, driver: tuple[str, ...], toolkit: tuple[str, ...]
) -> None:
    assert wanted(made) == (driver, toolkit)


def test_a_driver_that_is_to_be_replaced_is_in_nobodys_way() -> None:
    """What runs may serve somebody; the rules say what it does not do."""
    old = with_driver(forge(), loaded="570.211.01", packages={"nvidia-driver-570": "1"})
    found = missing(old, branch="595", toolkit_version="1.20.2", replaces=True)
    assert found.driver == UBUNTU
    assert not found.is_in_the_way


@pytest.mark.parametrize(
    ("version", "sources", "toolkit"),
    [
        ("1.19.1", (OUR_TOOLKIT_SOURCE,), TOOLKIT),
        ("1.20.2", (OUR_TOOLKIT_SOURCE,), ()),
        ("1.21.0", (OUR_TOOLKIT_SOURCE,), ()),
        ("1.19.1", ("/etc/apt/sources.list.d/nvidia-container-toolkit.list",), ()),
    ],
)
def test_a_toolkit_of_ours_is_brought_up_to_date_and_nobody_elses(
    version: str, sources: tuple[str, ...], toolkit: tuple[str, ...]
) -> None:
    made = with_toolkit(forge(), version=version, sources=sources)
    found = missing(made, branch="595", toolkit_version="1.20.2")
    assert found.toolkit == toolkit
    assert not found.is_in_the_way
