"""What the host must have: Debian 12 or 13 on x86-64, and a handful of its packages."""

import platform
from pathlib import Path

from synapse_testbed.commands import TestbedError, as_root, run, say, succeeds

# What is compiled here runs in the server, Debian 13: a newer C library would be too new for it.
RELEASES = {"bookworm": 12, "trixie": 13}
PACKAGES = (
    "containernetworking-plugins",
    "g++",
    "gcc",
    "iptables",
    "libstb-dev",
    "mmdebstrap",
    "nftables",  # Debian 13's podman calls it, and only recommends it.
    "nlohmann-json3-dev",
    "podman",
    "runc",
)
# Debian 12 has had the keys of 13's archive since its eleventh point release.
KEYRINGS = Path("/usr/share/keyrings")
KEYRING_PACKAGE = "debian-archive-keyring"
INSTALL_LIMIT_S = 900


def check_system(os_release: str, machine: str) -> None:
    """Raise TestbedError when programs built here would not run in the server made here."""
    lines = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    codename = lines.get("VERSION_CODENAME", "unknown").strip('"')
    if codename not in RELEASES or machine != "x86_64":
        known = " or ".join(f"{number} ({name})" for name, number in RELEASES.items())
        raise TestbedError(
            f"the testbed needs Debian {known} on x86_64, this is {codename} on {machine}"
        )


def prepare(extra_packages: tuple[str, ...] = ()) -> None:
    """Check the machine and install the packages it lacks."""
    check_system(Path("/etc/os-release").read_text(), platform.machine())
    missing = [name for name in (*PACKAGES, *extra_packages) if not _installed(name)]
    if not any(KEYRINGS.glob("debian-archive-trixie-*")):
        missing.append(KEYRING_PACKAGE)
    if not missing:
        return
    say(f"installing the Debian packages {' '.join(missing)} ...")
    install = as_root("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    run([*install, "update"], limit_s=INSTALL_LIMIT_S)
    run(
        [*install, "install", "--yes", "--no-install-recommends", *missing],
        limit_s=INSTALL_LIMIT_S,
    )


def _installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", package]
    return succeeds(query, limit_s=20) and run(query, limit_s=20).startswith("ii")
