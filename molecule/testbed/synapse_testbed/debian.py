"""Root filesystems of Debian 13, made with the host's own package sources."""

from collections.abc import Iterable
from inspect import getsource
from pathlib import Path

from synapse_testbed.cache import Recipe
from synapse_testbed.commands import TestbedError, as_root, run

SUITE = "trixie"
# What an ordinary server has and Kubernetes' node programs call; Python makes it an Ansible host.
NODE_PACKAGES = (
    "ca-certificates conntrack containerd containernetworking-plugins dbus ethtool iproute2"
    " ipset iptables kmod mount procps python3 runc socat systemd systemd-sysv"
)
# What the images of programs that are no static binary stand on.
BASE_PACKAGES = "ca-certificates libstdc++6 python3"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
LIMIT_S = 1800


def root_filesystem(name: str, packages: str) -> Recipe:
    """Return the recipe of one root filesystem, a single `layer.tar`."""

    def build(folder: Path) -> None:
        command = as_root(
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={','.join(packages.split())}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            *(f"--aptopt={setting}" for setting in _network_settings()),
            SUITE,
            "-",
            *package_sources(_index_targets()),
        )
        with (folder / "layer.tar").open("wb") as layer:
            run(command, limit_s=LIMIT_S, stdout=layer)

    inputs = {
        "packages": packages,
        "suite": SUITE,
        "left out": " ".join(LEFT_OUT),
        "recipe": getsource(build),
    }
    return Recipe(name, inputs, build, limit_s=LIMIT_S)


def package_sources(index_targets: Iterable[str]) -> list[str]:
    """Turn apt's list of `label address` lines into the sources lines of our Debian release."""
    suites = {"Debian": (SUITE, f"{SUITE}-updates"), "Debian-Security": (f"{SUITE}-security",)}
    addresses = {
        label: address
        for label, _, address in (line.partition(" ") for line in index_targets)
        if label in suites
    }
    if "Debian" not in addresses:
        raise TestbedError(
            "apt knows no Debian archive on this machine: run `apt-get update`, then try again"
        )
    return [
        f"deb {address} {suite} main"
        for label, address in sorted(addresses.items())
        for suite in suites[label]
    ]


def _index_targets() -> list[str]:
    query = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    return run(query, limit_s=60).splitlines()


def _network_settings() -> list[str]:
    """Return how this host's apt reaches its mirror: proxies and certificates."""
    settings = run(["apt-config", "dump", "Acquire"], limit_s=60).splitlines()
    return [line for line in settings if "proxy" in line.lower() or "https::ca" in line.lower()]
