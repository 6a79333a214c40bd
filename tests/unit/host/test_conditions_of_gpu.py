"""Every condition of a GPU, its driver and toolkit, a row each; as test_conditions_of_server.py.

Of the acceptance lines, 9 and 10 are the cluster's (test_doctor_engines.py), 4 and 18 show in pods
and while something is installed, 14 comes with upgrades: no facts of a server tell them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conditions import Row, assert_said, assert_speaks_up
from host_facts_of import (
    CARD,
    DRIVER,
    RTX_5090,
    facts,
    forge,
    with_driver,
    with_k3s,
    with_system,
    with_toolkit,
)
from synapse_host import rules
from synapse_host.facts import CdiSpec, Driver, Gpu, HostFacts

BARE, SERVED = facts(), forge()
VLLM = "docker.io/vllm/vllm-openai:v0.33.0"
SITE: dict[str, Any] = {
    "synapse_gpus": [{"vram_gib": 31.4}],
    "synapse_images": {"vllm": VLLM},
    "synapse_server": {"nvidia_container_toolkit": "1.20.2", "vllm_image_cuda": "13.0"},
    "vllm_image": "{{ synapse_images.vllm }}",
}
NONE = Driver()
GONE = replace(SERVED, driver=NONE)
UNSIGNED = Driver(library=DRIVER, secure_boot=True, key_enrolled=False)
BLIND = with_driver(SERVED, cards=(), error="No devices were found")
SAYS_OPEN = "NVRM: installed in this system requires use of the NVIDIA open kernel modules."
OLD_TOOLKIT = "/usr/local/nvidia/toolkit/nvidia-container-runtime"
NEW_TOOLKIT = "/usr/bin/nvidia-container-runtime"
MODULES = "linux-modules-nvidia-580-open-generic"


def bound_to(driver: str) -> HostFacts:
    """A server whose GPU another kernel driver holds."""
    return replace(GONE, gpus=(replace(RTX_5090, driver=driver),))


def model(device: str, **driver: Any) -> HostFacts:
    """A server with another GPU of NVIDIA."""
    return replace(with_driver(SERVED, **driver), gpus=(Gpu("0000:01:00.0", "10de", device),))


def listing(*devices: str, driver: str = DRIVER) -> HostFacts:
    """A server whose list of devices for containers is this."""
    spec = CdiSpec(
        "/etc/cdi/nvidia.yaml", tuple(f"nvidia.com/gpu={one}" for one in devices), driver
    )
    return with_toolkit(SERVED, cdi=(spec,))


def card(**changes: Any) -> HostFacts:
    """A server whose GPU is set otherwise."""
    return with_driver(SERVED, cards=(replace(CARD, **changes),))


def image(name: str) -> dict[str, Any]:
    """A site with an image of its own."""
    return SITE | {"vllm_image": name}


CONDITIONS: dict[str, Row] = {
    # The device.
    "no GPU where the site names one": (BARE, SITE,
        "stops", "device", "take synapse_gpus out of platform.yml"),
    "no GPU and none named": (BARE, {},
        "ok", "device", "none of NVIDIA"),
    "a GPU that the site does not name": (SERVED, {},
        "note", "device", "make find"),
    "a GPU older than CUDA 13": (model("1b06", cards=()), SITE,
        "stops", "device", "older than Turing"),
    "nouveau holds it": (bound_to("nouveau"), SITE,
        "stops", "kernel driver", "nvidia_install: true"),
    "a virtual machine holds it": (bound_to("vfio-pci"), SITE,
        "stops", "kernel driver", "10de:2b85"),
    # The driver.
    "no driver": (GONE, SITE,
        "stops", "driver", f"{MODULES} yourself"),
    "no driver on Debian": (with_system(GONE, id="debian", version="13"), SITE,
        "stops", "driver", "nvidia-kernel-open-dkms"),
    "[7] the closed module on Blackwell": (with_driver(SERVED, kind="closed", cards=()), SITE,
        "stops", "driver", f"needs the open modules, package {MODULES}"),
    "[7] the closed module, and the kernel says it": (
        model("2684", kind="closed", cards=(), kernel_log=(SAYS_OPEN,)), SITE,
        "stops", "driver", "needs the open modules"),
    "the closed module on an older GPU": (model("2684", kind="closed"), SITE,
        "ok", "driver", "closed module"),
    "[7] a module and no device": (BLIND, SITE,
        "stops", "driver", "Resizable BAR and Above 4G Decoding"),
    "[7] a module, no device and a small window": (
        replace(BLIND, gpus=(replace(RTX_5090, largest_bar_gib=0.25),)), SITE,
        "stops", "driver", "256 MiB of its memory only"),
    "Secure Boot without a key": (replace(SERVED, driver=UNSIGNED), SITE,
        "stops", "driver", "mokutil --import"),
    "installed and not loaded": (
        with_driver(GONE, library=DRIVER, kernel_log=("nvidia: probe failed",)), SITE,
        "stops", "driver", "The kernel said: nvidia: probe failed."),
    "installed, a reboot is pending": (
        with_system(with_driver(GONE, library=DRIVER), reboot_required_by=("nvidia",)), SITE,
        "stops", "driver", "nvidia_reboot: true"),
    "too old for CUDA 13": (with_driver(SERVED, loaded="570.86.16", library="570.86.16"), SITE,
        "stops", "driver's age", "580 at least"),
    "[6] module and library differ": (with_driver(SERVED, library="580.159.03"), SITE,
        "stops", "driver's versions", "apt-mark hold nvidia-driver-580-open"),
    "an upgrade waits for a reboot": (
        with_system(SERVED, reboot_required_by=("nvidia-driver-580-open",)), SITE,
        "note", "driver's reboot", "sudo reboot"),
    "[6] upgrades come unasked": (
        with_system(with_driver(SERVED, held=()), unattended_upgrades=True), SITE,
        "note", "driver's upgrades", "apt-mark hold"),
    "a desktop holds memory": (with_driver(SERVED, displays=("Xorg",)), SITE,
        "note", "desktop", "multi-user.target"),
    "MIG is on": (card(mig=True), SITE,
        "note", "mig", "leaves MIG alone"),
    "MPS runs": (with_driver(SERVED, mps=True), SITE,
        "note", "mps", "leaves MPS alone"),
    "persistence is off": (card(persistence=False), SITE,
        "note", "persistence", "nvidia-persistenced"),
    "a power limit": (card(power_limit_w=450.0), SITE,
        "ok", "power limit", "450 of 575 W"),
    "a power limit that it does not take": (
        SERVED, SITE | {"nvidia_power_limit_w": 900},
        "stops", "power limit", "400 to 600 W"),
    # The toolkit and K3s.
    "no toolkit": (with_toolkit(SERVED, version="", runtimes=()), SITE,
        "wrong", "container toolkit", "installs nvidia-container-toolkit 1.20.2"),
    "an older toolkit": (with_toolkit(SERVED, version="1.17.8"), SITE,
        "note", "container toolkit", "tried with 1.20.2"),
    "[1] the toolkit came after K3s": (with_k3s(SERVED, containerd_runtimes=("runc",)), SITE,
        "wrong", "runtime of k3s", "sudo systemctl restart k3s"),
    "[2] a leftover runtime wins": (with_toolkit(SERVED, runtimes=(OLD_TOOLKIT, NEW_TOOLKIT)), SITE,
        "wrong", "leftover runtime", OLD_TOOLKIT),
    "the operator's runtime alone": (with_toolkit(SERVED, runtimes=(OLD_TOOLKIT,)), SITE,
        "ok", "runtime of k3s", "nvidia"),
    "[5] a reload takes the GPU away": (with_toolkit(SERVED, mode="legacy"), SITE,
        "wrong", "toolkit's mode", "nvidia-container-runtime.mode=cdi"),
    "[5] so does an old toolkit's own choice": (with_toolkit(SERVED, version="1.17.8"), SITE,
        "wrong", "toolkit's mode", "daemon-reload"),
    "[8] a list of devices of an older driver": (listing(CARD.uuid, driver="575.57.08"), SITE,
        "wrong", "cdi", "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"),
    "[8] a list of devices without this GPU": (listing("0", "all"), SITE,
        "wrong", "cdi", "nvidia-ctk cdi list"),
    "no list of devices": (with_toolkit(SERVED, mode="cdi", cdi=()), SITE,
        "wrong", "cdi", "No container gets the GPU"),
    # The engines' image.
    "the shipped image": (SERVED, SITE,
        "ok", "image's cuda", "13.0, the driver runs 13.0"),
    "[11] an image newer than the driver": (SERVED, image("nvcr.io/nvidia/vllm:26.05-py3"),
        "stops", "image's cuda", "club-3090#222"),
    "[11] so in its tag": (SERVED, image("x/vllm:v1-cu131"),
        "stops", "image's cuda", "CUDA 13.1"),
    "an image that does not tell": (SERVED, image("x/vllm:v1"),
        "ok", "image's cuda", "unknown"),
    "a data-center GPU runs a newer minor": (card(name="NVIDIA H200"), image("x/vllm:v1-cu131"),
        "ok", "image's cuda", "13.1"),
    "no GPU runs a newer major": (with_driver(card(name="NVIDIA H200"), cuda="12.8"), SITE,
        "stops", "image's cuda", "CUDA 13.0"),
}  # fmt: skip


@pytest.mark.parametrize("row", CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition_of_the_gpu_is_said(row: Row) -> None:
    assert_said(row, rules.of_gpu(*row[:2]))


@pytest.mark.parametrize("rule", rules.GPU, ids=lambda rule: str(rule.__name__))
def test_every_rule_has_a_row_that_it_speaks_up_in(rule: rules.Rule) -> None:
    assert_speaks_up(rule, CONDITIONS.values())


def test_a_gpu_set_up_by_synapse_has_nothing_to_do() -> None:
    assert not [one for one in rules.of_gpu(SERVED, SITE) if one.remedy]


def test_one_cause_is_said_once() -> None:
    assert len(rules.stops(rules.of_gpu(bound_to("nouveau"), SITE))) == 1
    assert len(rules.stops(rules.of_gpu(GONE, SITE))) == 1
    assert len(rules.stops(rules.of_gpu(BLIND, SITE))) == 1
