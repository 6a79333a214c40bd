"""NVIDIA's driver on a server: its packages, modules, libraries and signatures."""

from __future__ import annotations

import os
import re

from .gpu import cards_of
from .processes import Processes
from .server import Facts, Server

NUMBER = r"(\d+\.\d+(?:\.\d+)?)"
OF_THE_DRIVER = re.compile(
    r"NVRM|nvidia.*(module|taint|signature|probe)|nouveau|[Ss]ecure ?[Bb]oot|Lockdown:"
    r"|Loading of .*module|Key was rejected|module verification failed"
)
SB_VARIABLE = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM_VARIABLE = "MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23"
OWNERS_KEYS = ("/var/lib/shim-signed/mok/MOK.der", "/var/lib/dkms/mok.pub")


def packages_of(server: Server) -> dict[str, str]:
    """Return the installed packages of driver and toolkit, with their versions."""
    patterns = ("nvidia-*", "libnvidia-*", "libcuda1*", "linux-modules-nvidia-*", "cuda-drivers*",
                "linux-objects-nvidia-*", "linux-signatures-nvidia-*", "cuda-keyring",
                "firmware-nvidia-*", "xserver-xorg-video-nvidia*")  # fmt: skip
    shown = "${db:Status-Abbrev}\t${Package}\t${Version}\n"
    said = server.run("dpkg-query", "--show", f"--showformat={shown}", *patterns)[1]
    return dict(re.findall(r"^[a-z]i \t(\S+)\t(\S+)$", said, re.M))


def driver_of(server: Server, packages: dict[str, str], processes: Processes) -> Facts:
    """Return NVIDIA's driver: what is loaded, what is installed, what it says."""
    about = server.text("/proc/driver/nvidia/version").partition("\n")[0]
    loaded = server.text("/sys/module/nvidia/version")
    if not loaded and (found := re.search(rf"Module.*?\s{NUMBER}\s", about)):
        loaded = found.group(1)
    kind = ("open" if "Open Kernel Module" in about else "closed") if about else ""
    cuda = re.search(r"CUDA (?:UMD )?Version\s*: +([\d.]+)", server.says("nvidia-smi"))
    cards, error = cards_of(server)
    log = server.says("journalctl", "--dmesg", "--boot", "--output=cat", "--no-pager")
    lines = (log or server.says("dmesg")).splitlines()
    secure_boot = is_secure_boot(server)
    return {
        "loaded": loaded,
        "kind": kind,
        "library": library_of(server),
        "cuda": cuda.group(1) if cuda else "",
        "cards": cards,
        "error": error,
        "kernel_log": [line.strip() for line in lines if OF_THE_DRIVER.search(line)][-20:],
        "packages": packages,
        "held": sorted(server.says("apt-mark", "showhold").split()),
        "secure_boot": secure_boot,
        "key_enrolled": key_enrolled(server),
        "mps": "nvidia-cuda-mps" in processes.names,  # 15 characters of its name
        "displays": sorted(processes.displays),
    }


def library_of(server: Server) -> str:
    """Return the version of the driver's libraries; where several lie, that which is linked."""
    folders = ("/usr/lib/*-linux-gnu", "/usr/lib/*-linux-gnu/nvidia/current", "/usr/lib64")
    found: list[str] = []
    for folder in folders:
        for path in server.glob(f"{folder}/libnvidia-ml.so.1"):
            name = os.path.basename(os.path.realpath(server.at(path)))
            found += re.findall(rf"\.so\.{NUMBER}$", name)
    for folder in folders:
        for path in server.glob(f"{folder}/libnvidia-ml.so.*"):
            found += re.findall(rf"\.so\.{NUMBER}$", path)
    return found[0] if found else ""


def is_secure_boot(server: Server) -> bool:
    """Tell whether the kernel takes signed modules only."""
    folder = "/sys/firmware/efi/efivars"
    state = server.raw(f"{folder}/{SB_VARIABLE}")[4:5]
    if not state and "SecureBoot enabled" in server.says("mokutil", "--sb-state"):
        state = b"\1"
    return state == b"\1" and server.raw(f"{folder}/{SHIM_VARIABLE}")[4:5] != b"\1"


def key_enrolled(server: Server) -> bool | None:
    """Tell whether a key of the machine's owner signs modules; None where nobody tells."""
    if server.program("mokutil") is None:
        return None
    keys = [path for path in OWNERS_KEYS if server.exists(path)]
    return any(
        "already enrolled" in server.run("mokutil", "--test-key", server.at(path))[1]
        for path in keys
    )
