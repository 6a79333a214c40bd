"""NVIDIA's driver as the packages of its repository for Debian: simulators under the real names."""

import os
import re
import sys
from pathlib import Path

from host_lab_gpu import deb
from host_lab_gpu.deb import Package, pack
from synapse_testbed.cache import Recipe
from synapse_testbed.commands import run
from synapse_testbed.gpu import NVML_SOURCE

SOURCES = Path(__file__).parents[3] / "molecule/host/gpu"
NVML, SMI = SOURCES / "nvml.c", SOURCES / "nvidia-smi.c"
# In NVIDIA's order: what is too old, two that an upgrade may mix, and what is installed today.
OLD, BEFORE, AFTER, CURRENT = "570.211.01", "580.126.20", "580.159.03", "595.71.05"
VERSIONS = (OLD, BEFORE, AFTER, CURRENT)
LIBRARIES = "usr/lib/x86_64-linux-gnu"
STRICT = ("-Os", "-s", "-Wall", "-Wextra", "-Werror")
PERSISTENCE = """[Unit]
Description=NVIDIA Persistence Daemon
ConditionPathExists=/dev/nvidiactl

[Service]
Type=oneshot
ExecStart=/usr/bin/nvidia-smi -pm 1
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
"""
PERSISTENCE_COMES = """#!/bin/sh
set -e
deb-systemd-helper enable nvidia-persistenced.service >/dev/null
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload
  deb-systemd-invoke start nvidia-persistenced.service
fi
"""
# DKMS makes a key of the machine's own, and signs with it.
# Nothing is loaded while a package is installed: nouveau may hold the GPU until the next boot.
MODULE_COMES = """#!/bin/sh
set -e
mkdir -p /var/lib/dkms && touch /var/lib/dkms/mok.pub
modules=/lib/modules/$(uname -r)
mkdir -p "$modules" 2>/dev/null || exit 0
grep -qs '/nvidia.ko' "$modules/modules.dep" && exit 0
echo 'updates/dkms/nvidia.ko:' >> "$modules/modules.dep" || true
"""


def packages(version: str) -> Recipe:
    """All packages of one version of the driver, as files of one folder."""

    def build(folder: Path) -> None:
        made = folder / "made"
        made.mkdir()
        compile_into(made, version)
        for package in (*libraries(version, made), *modules(version), *helpers(version)):
            pack(package, folder)
        for path in made.iterdir():
            path.unlink()
        made.rmdir()

    # What the packages are made of stands in these files.
    code = "".join(
        Path(module.__file__ or "").read_text() for module in (deb, sys.modules[__name__])
    )
    inputs = {path.name: path.read_text() for path in (NVML, SMI)}
    inputs |= {"memory": NVML_SOURCE.read_text(), "recipe": code, "kernel": os.uname().release}
    return Recipe(f"nvidia-driver-{version}", inputs, build)


def compile_into(folder: Path, version: str) -> None:
    """Compile the driver's library, an empty one of CUDA, and nvidia-smi."""
    told = f'-DVERSION="{version}"'
    shared = ["gcc", "-shared", "-fPIC", *STRICT, told]
    nvml = ["-Wl,-soname,libnvidia-ml.so.1", str(NVML)]
    run([*shared, *nvml, "-o", str(folder / "libnvidia-ml.so")], limit_s=60)
    empty = ["-Wl,-soname,libcuda.so.1", "-x", "c", "/dev/null"]
    run([*shared, *empty, "-o", str(folder / "libcuda.so")], limit_s=60)
    run(
        ["gcc", "-std=gnu17", *STRICT, told, "-o", str(folder / "nvidia-smi"), str(SMI)], limit_s=60
    )


def libraries(version: str, made: Path) -> list[Package]:
    """Return what containers get: two libraries and nvidia-smi."""
    both = f"libcuda1 (= {version}-1), libnvidia-ml1 (= {version}-1)"
    return [
        *(
            Package(
                package,
                f"{version}-1",
                "simulator of NVIDIA's library",
                files={f"{LIBRARIES}/{name}.so.{version}": made / f"{name}.so"},
                links={f"{LIBRARIES}/{name}.so.1": f"{name}.so.{version}"},
            )
            for package, name in (("libnvidia-ml1", "libnvidia-ml"), ("libcuda1", "libcuda"))
        ),
        Package(
            "nvidia-driver-cuda",
            f"{version}-1",
            "simulator of NVIDIA's driver without a desktop",
            files={"usr/bin/nvidia-smi": made / "nvidia-smi"},
            fields={"Depends": both},
        ),
    ]


def modules(version: str) -> list[Package]:
    """Return the open and the closed module, of which one is installed at a time."""
    names = {"nvidia-kernel-open-dkms": "open", "nvidia-kernel-dkms": "closed"}
    return [
        Package(
            name,
            f"{version}-1",
            "simulator of NVIDIA's kernel module",
            files={
                "usr/lib/simulated-driver/module": f"{version} {kind}\n",
                "usr/lib/modprobe.d/nvidia-blacklists-nouveau.conf": "blacklist nouveau\n",
            },
            fields={
                "Provides": f"nvidia-kernel-any (= {version}-1)",
                "Conflicts": "nvidia-kernel-any",
                "Replaces": "nvidia-kernel-any",
            },
            scripts={"postinst": MODULE_COMES},
        )
        for name, kind in names.items()
    ]


def helpers(version: str) -> list[Package]:
    """Return the packages around it: headers, the pin of its branch, persistence."""
    branch = version.split(".")[0]
    pin = f"Package: *nvidia* *cuda*\nPin: version {branch}.*\nPin-Priority: 1000\n"
    return [
        *(
            Package(f"linux-headers-{kernel}", "1", "stand-in for the kernel's headers")
            for kernel in (os.uname().release, flavour())
        ),
        Package(
            f"nvidia-driver-pinning-{branch}",
            f"{branch}-1",
            "keeps NVIDIA's driver on one branch",
            files={f"etc/apt/preferences.d/nvidia-driver-pinning-{branch}": pin},
        ),
        Package(
            "nvidia-open",
            f"{version}-1",
            "the open driver, whole",
            fields={
                "Depends": f"nvidia-kernel-open-dkms (= {version}-1), "
                f"nvidia-driver-cuda (= {version}-1)"
            },
        ),
        Package(
            "nvidia-persistenced",
            f"{version}-1",
            "simulator of NVIDIA's daemon",
            files={"usr/lib/systemd/system/nvidia-persistenced.service": PERSISTENCE},
            scripts={"postinst": PERSISTENCE_COMES},
        ),
    ]


def flavour() -> str:
    """Return the last part of the running kernel's name, as its packages are called."""
    found = re.match(r"^[^-]+(?:-\d+)?-(.+)$", os.uname().release)
    return found[1] if found else "generic"
