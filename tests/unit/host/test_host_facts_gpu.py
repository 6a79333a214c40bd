"""What the module `host_facts` reads of a GPU, its driver and the container toolkit."""

from pathlib import Path

import pytest

from server_tree import UBUNTU, Tree
from synapse_host.facts import Card, CdiSpec, Driver, Gpu, Toolkit

OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.126.20  Release Build\n"
    "GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n"
)
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.195.03  Sat Sep 20 UTC 2025\n"
UUID = "GPU-5e3a1c1e-0b7f-4d5c-9c0e-2f6b8d1a7e90"
ROW = (
    f"NVIDIA GeForce RTX 5090, {UUID}, 32607, 484, 15, Enabled, 575.00, 575.00, 400.00, 600.00, "
    "[N/A]\n"
)
TABLE = "| NVIDIA-SMI 580.126.20    Driver Version: 580.126.20    CUDA Version: 13.0 |\n"
BARS = """\
0x00000000a0000000 0x00000000a3ffffff 0x0000000000040200
0x0000008000000000 0x00000087ffffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
"""
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Ubuntu with an RTX 5090 and the open driver, as it should be."""
    tree = Tree(tmp_path)
    tree.file("/etc/os-release", UBUNTU)
    pci(tree, "0000:01:00.0", "0x030000", "0x10de", "0x2b85", "nvidia", BARS)
    pci(tree, "0000:01:00.1", "0x040300", "0x10de", "0x22e8", "snd_hda_intel")
    tree.file("/sys/module/nvidia/version", "580.126.20\n")
    tree.file("/proc/driver/nvidia/version", OPEN)
    tree.file(f"{LIBRARIES}/libnvidia-ml.so.580.126.20", "")
    tree.link(f"{LIBRARIES}/libnvidia-ml.so.1", "libnvidia-ml.so.580.126.20")
    table, row = tree.file("/said/table", TABLE), tree.file("/said/row", ROW)
    tree.program("nvidia-smi", f"case $1 in --query*) cat {row};; *) cat {table};; esac")
    return tree


def pci(
    tree: Tree, address: str, kind: str, vendor: str, device: str, driver: str, bars: str = ""
) -> None:
    """A device on the PCI bus."""
    folder = f"/sys/bus/pci/devices/{address}"
    for name, text in (("class", kind), ("vendor", vendor), ("device", device), ("resource", bars)):
        tree.file(f"{folder}/{name}", f"{text}\n")
    if driver:
        tree.link(f"{folder}/driver", f"../../../../bus/pci/drivers/{driver}")


def test_a_gpu_that_is_well(tree: Tree) -> None:
    facts = tree.facts()
    assert facts.gpus == (Gpu("0000:01:00.0", "10de", "2b85", "nvidia", 32.0),)
    driver = facts.driver
    assert (driver.loaded, driver.library, driver.kind) == ("580.126.20", "580.126.20", "open")
    assert (driver.cuda, driver.error, driver.displays, driver.mps) == ("13.0", "", (), False)
    assert driver.cards == (
        Card("NVIDIA GeForce RTX 5090", UUID, 32607, 484, 15, True, 575.0, 575.0, 400.0, 600.0),
    )


def test_the_newest_drivers_call_their_cuda_otherwise(tree: Tree) -> None:
    tree.says("nvidia-smi", "| NVIDIA-SMI 610.43   KMD Version: 610.43   CUDA UMD Version: 13.3 |")
    assert tree.facts().driver.cuda == "13.3"


def test_the_closed_module_is_told_from_the_open_one(tree: Tree) -> None:
    tree.file("/proc/driver/nvidia/version", CLOSED)
    assert tree.facts().driver.kind == "closed"


def test_nouveau_holds_the_gpu_and_no_driver_is_there(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    pci(tree, "0000:01:00.0", "0x030000", "0x10de", "0x2b85", "nouveau", BARS)
    pci(tree, "0000:00:02.0", "0x038000", "0x8086", "0xa780", "")
    facts = tree.facts()
    assert [(one.vendor, one.driver) for one in facts.gpus] == [("8086", ""), ("10de", "nouveau")]
    assert (facts.driver, facts.toolkit) == (Driver(), Toolkit())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.1",
         "Failed to initialize NVML: Driver/library version mismatch NVML library version: 580.1"),
        ("\nNVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
         "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."),
    ],
)  # fmt: skip
def test_what_nvidia_smi_says_when_it_fails(tree: Tree, said: str, told: str) -> None:
    tree.says("nvidia-smi", said, status=9)
    driver = tree.facts().driver
    assert (driver.cards, driver.error, driver.cuda) == ((), told, "")


def test_an_older_driver_does_not_know_every_field(tree: Tree) -> None:
    row = tree.file("/said/short", ROW.replace(" 484,", ""))
    unknown = 'Field "memory.reserved" is not a valid field to query.'
    tree.program(
        "nvidia-smi", f"case $1 in *reserved*) echo '{unknown}'; exit 2;; *) cat {row};; esac"
    )
    (card,) = tree.facts().driver.cards
    assert (card.memory_mib, card.reserved_mib, card.power_max_w) == (32607, 0, 600.0)


def test_a_desktop_and_mps_on_the_gpu(tree: Tree) -> None:
    tree.process(500, "Xorg", "/dev/nvidia0", "/dev/nvidiactl")
    tree.process(501, "python3", "/dev/nvidia0")
    tree.process(502, "gnome-shell", "/dev/dri/card0")
    tree.process(503, "nvidia-cuda-mps")
    driver = tree.facts().driver
    assert (driver.displays, driver.mps) == (("Xorg",), True)


def test_packages_and_those_that_are_held(tree: Tree) -> None:
    tree.says("dpkg-query", (
        "ii \tnvidia-driver-580-open\t580.126.20-0ubuntu1\n"
        "hi \tnvidia-container-toolkit\t1.20.2-1\nrc \tnvidia-driver-570\t570.1\n"
        "dpkg-query: no packages found matching libcuda1*\n"
    ), status=1)  # fmt: skip
    tree.says("apt-mark", "nvidia-driver-580-open\nlinux-image-generic\n")
    facts = tree.facts()
    assert facts.driver.packages == {
        "nvidia-driver-580-open": "580.126.20-0ubuntu1", "nvidia-container-toolkit": "1.20.2-1",
    }  # fmt: skip
    assert facts.driver.held == ("linux-image-generic", "nvidia-driver-580-open")
    assert facts.toolkit.version == "1.20.2"


def test_secure_boot_and_the_key_of_the_owner(tree: Tree) -> None:
    assert (tree.facts().driver.secure_boot, tree.facts().driver.key_enrolled) == (False, None)
    tree.file(f"/sys/firmware/efi/efivars/{SECURE_BOOT}", b"\6\0\0\0\1")
    tree.program("mokutil", 'echo "$2 is already enrolled"; exit 1')
    driver = tree.facts().driver
    assert (driver.secure_boot, driver.key_enrolled) == (True, False)
    tree.file("/var/lib/shim-signed/mok/MOK.der", "")
    assert tree.facts().driver.key_enrolled
    tree.program("mokutil", 'echo "$2 is not enrolled"')
    assert tree.facts().driver.key_enrolled is False


def test_the_kernels_last_lines_on_the_driver(tree: Tree) -> None:
    lines = [f"NVRM: GPU 0000:01:00.0: line {n}" for n in range(25)]
    tree.says(
        "journalctl", "\n".join([*lines, "usb 1-1: new device", "Key was rejected by service"])
    )
    log = tree.facts().driver.kernel_log
    assert (len(log), log[0], log[-1]) == (20, lines[6], "Key was rejected by service")


def test_the_toolkit_where_k3s_looks_for_it(tree: Tree) -> None:
    tree.says("nvidia-ctk", "NVIDIA Container Toolkit CLI version 1.20.2\ncommit: abc\n")
    for folder in ("/usr/bin", "/usr/local/nvidia/toolkit"):
        tree.file(f"{folder}/nvidia-container-runtime", "", 0o755)
    tree.file("/etc/nvidia-container-runtime/config.toml", (
        '[nvidia-container-cli]\nmode = "no"\n[nvidia-container-runtime]\n#mode = "auto"\n'
        'mode = "cdi"\n[nvidia-container-runtime.modes.csv]\nmode = "no"\n'
    ))  # fmt: skip
    tree.file("/etc/apt/sources.list.d/a.list", "deb https://nvidia.github.io/libnvidia x /\n")
    tree.file("/etc/apt/sources.list.d/b.list", "# deb https://nvidia.github.io/libnvidia y /\n")
    toolkit = tree.facts().toolkit
    assert (toolkit.version, toolkit.mode) == ("1.20.2", "cdi")
    assert [one.split("/")[2] for one in toolkit.runtimes] == ["local", "bin"]
    assert toolkit.sources == ("/etc/apt/sources.list.d/a.list",)


def test_cdi_specs_in_both_forms(tree: Tree) -> None:
    tree.file("/etc/cdi/nvidia.yaml", (
        "---\ncdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n    - name: \"0\"\n"
        "      containerEdits:\n        deviceNodes:\n            - path: /dev/nvidia0\n"
        "    - name: all\ncontainerEdits:\n    hooks:\n        - hookName: createContainer\n"
        "    mounts:\n        - hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.126.20\n"
    ))  # fmt: skip
    tree.file("/var/run/cdi/other.json", '{"kind": "example.com/nic", "devices": [{"name": "a"}]}')
    assert tree.facts().toolkit.cdi == (
        CdiSpec("/etc/cdi/nvidia.yaml", ("nvidia.com/gpu=0", "nvidia.com/gpu=all"), "580.126.20"),
        CdiSpec("/var/run/cdi/other.json", ("example.com/nic=a",), ""),
    )
