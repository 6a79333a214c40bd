"""What the role nvidia decides on a server, fact by fact."""

from dataclasses import replace
from typing import Any

import pytest

from host_facts_of import (
    CARD,
    DRIVER,
    facts,
    forge,
    with_driver,
    with_k3s,
    with_system,
    with_toolkit,
)
from synapse_host import nvidia
from synapse_host.facts import CdiSpec, Gpu, HostFacts

SPEC = CdiSpec("/var/run/cdi/nvidia.yaml", (f"nvidia.com/gpu={CARD.uuid}",), DRIVER)


def with_spec(*specs: CdiSpec, version: str = "1.20.2") -> HostFacts:
    return with_toolkit(forge(), cdi=specs, version=version)


def test_another_vendors_gpu_is_none() -> None:
    assert nvidia.has_gpu(forge())
    assert not nvidia.has_gpu(facts())
    assert not nvidia.has_gpu(facts(gpus=(Gpu("0000:00:02.0", "8086", "a780"),)))


@pytest.mark.parametrize(
    ("loaded", "library", "wanted"),
    [
        ("580.126.20", "580.126.20", False),
        ("580.126.20", "580.159.03", True),
        ("", "595.84", True),
        ("", "", False),
    ],
)
def test_a_reboot_is_wanted_where_another_driver_lies_on_the_disk(
    loaded: str, library: str, wanted: bool
) -> None:
    made = with_driver(forge(), loaded=loaded, library=library)
    assert nvidia.wants_reboot(made) is wanted


OPEN = {"linux-modules-nvidia-595-open-generic": "1"}


def test_the_open_module_beside_a_closed_one_that_runs_waits_for_a_boot() -> None:
    made = with_driver(forge(), kind="closed", packages=OPEN)
    assert nvidia.wants_reboot(made)
    assert nvidia.on_disk(made) == f"{DRIVER} open"
    assert nvidia.on_disk(with_driver(made, library="")) == ""


@pytest.mark.parametrize(
    ("changes", "replaced"),
    [
        ({}, False),
        ({"loaded": "570.211.01"}, True),
        ({"kind": "closed"}, True),
        # By NVIDIA's own installer; under a desktop; nothing runs, so nothing was seen to fail.
        ({"loaded": "570.211.01", "packages": {}}, False),
        ({"loaded": "570.211.01", "displays": ("Xorg",)}, False),
        ({"loaded": "", "library": "570.211.01"}, False),
    ],
)
def test_a_driver_that_cannot_serve_is_replaced(changes: dict[str, Any], replaced: bool) -> None:
    assert nvidia.replaces(with_driver(forge(), **changes)) is replaced


@pytest.mark.parametrize(
    ("made", "files"),
    [
        (with_spec(SPEC), ()),
        (with_spec(replace(SPEC, driver="580.95.05")), (SPEC.path,)),
        (with_spec(replace(SPEC, devices=("nvidia.com/gpu=all", "nvidia.com/gpu=0"))),
         (SPEC.path,)),
        (with_spec(replace(SPEC, path="/etc/cdi/old.yaml", driver="570.1"), SPEC),
         ("/etc/cdi/old.yaml",)),
        # Another kind of device is not ours to write.
        (with_spec(SPEC, CdiSpec("/etc/cdi/x.yaml", ("example.com/fpga=0",), "")), ()),
        (with_spec(), ("/var/run/cdi/nvidia.yaml",)),
        # Before 1.18 nothing writes it anew at a boot.
        (with_spec(version="1.17.8"), ("/etc/cdi/nvidia.yaml",)),
        (with_driver(with_spec(), cards=()), ()),
        (with_toolkit(with_spec(), runtimes=()), ()),
    ],
)  # fmt: skip
def test_the_list_of_devices_is_written_where_it_is_not_this_drivers(
    made: HostFacts, files: tuple[str, ...]
) -> None:
    assert nvidia.cdi_to_write(made) == files


LATE = with_k3s(forge(), containerd_runtimes=("runc",))


@pytest.mark.parametrize(
    ("made", "lacks"),
    [
        (LATE, True),
        (forge(), False),
        (with_toolkit(LATE, runtimes=()), False),
        (with_k3s(LATE, unit="absent"), False),
    ],
)
def test_k3s_is_restarted_where_the_toolkit_came_after_its_start(
    made: HostFacts, lacks: bool
) -> None:
    assert nvidia.lacks_runtime(made) is lacks


def test_what_a_hand_wrote_is_not_lost_by_a_restart() -> None:
    assert nvidia.why_no_restart(LATE) == ""
    told = nvidia.why_no_restart(with_k3s(LATE, containerd_edited=True))
    assert "agent/etc/containerd/config.toml was written by hand" in told
    assert "config-v3.toml.tmpl" in told


def test_a_template_without_k3s_own_is_named() -> None:
    made = with_k3s(LATE, templates=("config.toml.tmpl",), template_has_base=False)
    for told in (nvidia.why_no_restart(made), nvidia.why_no_runtime(made)):
        assert "/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl" in told
    based = with_k3s(made, templates=("config-v3.toml.tmpl",), template_has_base=True)
    assert nvidia.why_no_restart(based) == ""


def test_a_restart_that_found_nothing_says_where_to_look() -> None:
    assert nvidia.why_no_runtime(forge()) == ""
    assert "/usr/bin/nvidia-container-runtime" in nvidia.why_no_runtime(LATE)


def test_a_power_limit_is_one_that_the_gpu_takes() -> None:
    for limit in (None, 400.0, 575.0, 600.0):
        assert nvidia.power_fault(forge(), limit) == ""
    assert nvidia.power_fault(forge(), 300.0).endswith("RTX 5090 takes 400 to 600 W.")
    assert nvidia.power_fault(with_driver(forge(), cards=()), 300.0) == ""


SELECTIONS = [
    "install installed nvidia-utils-595",
    "hold installed libnvidia-compute-595",
    "install installed linux-modules-nvidia-595-open-generic",
    "install installed linux-modules-nvidia-595-open-6.8.0-88-generic",
    "install installed linux-image-generic",
    "install installed linux-generic-hwe-24.04",
    "install installed linux-image-6.8.0-88-generic",
    "install installed nvidia-container-toolkit",
    "install installed libnvidia-container1",
    "deinstall config-files nvidia-utils-570",
    "install installed libc6",
    "dpkg-query: no packages found matching cuda-drivers*",
]


def test_module_library_and_next_kernel_are_held_together() -> None:
    assert nvidia.to_hold(forge(), SELECTIONS) == (
        "linux-generic-hwe-24.04",
        "linux-image-generic",
        "linux-modules-nvidia-595-open-6.8.0-88-generic",
        "linux-modules-nvidia-595-open-generic",
        "nvidia-utils-595",
    )


def test_a_kernel_for_which_modules_are_built_here_is_not_held() -> None:
    debian = with_system(forge(), id="debian", version="13")
    assert not [name for name in nvidia.to_hold(debian, SELECTIONS) if "image" in name]


def test_programs_on_the_server_learn_of_the_proxy() -> None:
    assert nvidia.environment(None) == {}
    proxy = {"http": None, "https": "http://proxy:3128", "no_proxy": ["lan", "10.0.0.0/8"]}
    assert nvidia.environment(proxy) == {
        "https_proxy": "http://proxy:3128",
        "no_proxy": "lan,10.0.0.0/8",
    }
