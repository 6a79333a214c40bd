"""The operating system of a server."""

from __future__ import annotations

import os
import platform
import re
import socket
from datetime import datetime, timezone

from .server import Facts, Server
from .units import CLOCKS, state_of

SYSCTLS = (
    "fs.inotify.max_user_instances", "fs.inotify.max_user_watches", "fs.file-max",
    "kernel.keys.root_maxbytes", "kernel.keys.root_maxkeys", "kernel.panic",
    "kernel.panic_on_oops", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
    "vm.max_map_count", "vm.overcommit_memory", "vm.panic_on_oom", "vm.swappiness",
)  # fmt: skip


def system_of(server: Server, units: dict[str, dict[str, str]]) -> Facts:
    """Return the operating system."""
    release = dict(re.findall(r"^(\w+)=[\"']?(.*?)[\"']?$", server.text("/etc/os-release"), re.M))
    memory = dict(re.findall(r"^(\w+):\s+(\d+) kB$", server.text("/proc/meminfo"), re.M))
    limit = server.says("systemctl", "show", "--property=DefaultLimitNOFILE", "--value")
    clock = server.says("timedatectl", "show", "--property=NTPSynchronized", "--value")
    container = server.says("systemd-detect-virt", "--container")
    packages = server.text("/run/reboot-required.pkgs") or server.text(
        "/var/run/reboot-required.pkgs"
    )
    wants_reboot = server.exists("/run/reboot-required") or server.exists(
        "/var/run/reboot-required"
    )
    reached_from, reached_at = connection(server)
    settings = {name: server.text(f"/proc/sys/{name.replace('.', '/')}") for name in SYSCTLS}
    return {
        "id": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "codename": release.get("VERSION_CODENAME", ""),
        "kernel": server.text("/proc/sys/kernel/osrelease"),
        "architecture": platform.machine(),
        "hostname": server.text("/proc/sys/kernel/hostname"),
        "has_systemd": os.path.isdir(server.at("/run/systemd/system")),
        "container": "" if container == "none" else container,
        "cores": len(re.findall(r"^processor\s*:", server.text("/proc/cpuinfo"), re.M)) or 1,
        "memory_gib": round(int(memory.get("MemTotal", 0)) / 2**20, 2),
        "swap_gib": round(int(memory.get("SwapTotal", 0)) / 2**20, 2),
        "clock_synchronized": {"yes": True, "no": False}.get(clock),
        "clock_service": next((name for name in CLOCKS if state_of(units, name) == "active"), ""),
        "reboot_required_by": sorted(set(packages.split())) or (["?"] if wants_reboot else []),
        "sudo": sudo_of(server),
        "sysctls": {name: " ".join(value.split()) for name, value in settings.items() if value},
        "open_files": int(limit) if limit.isdigit() else 2**30 if limit == "infinity" else 0,
        "reached_from": reached_from,
        "reached_at": reached_at,
        "address": address_of(server),
        "has_default_route": bool(default_interface(server)),
        "now": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "unattended_upgrades": is_upgraded_by_night(server),
        "is_root": os.geteuid() == 0,
    }


def is_upgraded_by_night(server: Server) -> bool:
    """Tell whether apt upgrades packages unasked; a later file of its configuration wins."""
    said = "".join(server.text(path) + "\n" for path in server.glob("/etc/apt/apt.conf.d/*"))
    told = re.findall(r'^\s*APT::Periodic::Unattended-Upgrade\s+"(\w+)"', said, re.M)
    return bool(told) and told[-1] != "0" and server.program("unattended-upgrade") is not None


def sudo_of(server: Server) -> str:
    """Return which sudo answers to that name."""
    if server.program("sudo") is None:
        return "none"
    return "sudo-rs" if "sudo-rs" in server.run("sudo", "--version")[1] else "sudo"


def connection(server: Server) -> tuple[str, int]:
    """Return from where and at which port ssh is connected, as a process above this one knows.

    sudo takes it out of the environment, and the shell that called sudo has it still.
    """
    pid = os.getpid()
    while pid > 1:
        found = re.search(
            rb"(?:^|\0)SSH_CONNECTION=(\S+) \d+ \S+ (\d+)", server.raw(f"/proc/{pid}/environ")
        )
        if found:
            return found.group(1).decode(), int(found.group(2))
        above = re.search(r"^PPid:\s+(\d+)", server.text(f"/proc/{pid}/status"), re.M)
        pid = int(above.group(1)) if above else 0
    return "", 0


def default_interface(server: Server) -> str:
    """Return the interface of the default route; empty without one."""
    for line in server.text("/proc/net/route").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == words[7] == "00000000":
            return words[0]
    for line in server.text("/proc/net/ipv6_route").splitlines():
        words = line.split()
        if len(words) == 10 and words[0] == "0" * 32 and words[1] == "00" and words[9] != "lo":
            return words[9]
    return ""


def address_of(server: Server) -> str:
    """Return the address that the server has towards the default route; nothing is sent."""
    if server.root:
        return ""
    for family, outside in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((outside, 9))
                return str(asked.getsockname()[0])
        except OSError:
            continue
    return ""
