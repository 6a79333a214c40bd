"""Trees of files and programs that look like a server, for the module `host_facts` to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from role_modules import module
from synapse_host.facts import HostFacts
from synapse_host.read import read

DEBIAN = """\
PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
VERSION_ID="13"
VERSION_CODENAME=trixie
ID=debian
"""
UBUNTU = 'ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID_LIKE=debian\n'
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
cni0\t0000 2A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
""".replace("0000 2A0A", "00002A0A")
SOCKETS = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when  uid inode\n"


class Tree:
    """A server: a bare Debian 13 with ssh, until files and programs are added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.units: dict[str, dict[str, str]] = {}
        self.file("/etc/os-release", DEBIAN)
        self.file("/proc/meminfo", "MemTotal:       65673216 kB\nSwapTotal:       2097152 kB\n")
        self.file("/proc/cpuinfo", "".join(f"processor\t: {n}\n" for n in range(16)))
        self.file("/proc/sys/kernel/osrelease", "6.12.48+deb13-amd64\n")
        self.file("/proc/sys/kernel/hostname", "forge\n")
        self.file("/proc/sys/vm/overcommit_memory", "0\n")
        self.file("/proc/net/route", ROUTE)
        self.file("/proc/self/mounts", "/dev/vda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n")
        self.process(1, "systemd")
        self.file("/run/systemd/system/.keep", "")
        self.listens("tcp", "00000000:0016", inode=700)
        self.process(300, "sshd", "socket:[700]")
        self.program("sudo", "echo 'Sudo version 1.9.16p2'")
        self.program("timedatectl", "echo yes")
        self.unit("systemd-timesyncd.service")

    def file(self, path: str, text: str | bytes, mode: int = 0o644) -> Path:
        """A file of the server."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def link(self, path: str, target: str) -> None:
        """A link of the server, which need not lead anywhere."""
        link = self.root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)

    def program(self, name: str, script: str) -> None:
        """A program of the server."""
        self.file(f"/usr/bin/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)

    def says(self, name: str, text: str, status: int = 0) -> None:
        """A program that always says the same."""
        said = self.file(f"/said/{name}", text)
        self.program(name, f"cat {said}; exit {status}")

    def process(self, pid: int, name: str, *holds: str, command: str = "") -> None:
        """A running program with what its file descriptors lead to."""
        self.file(f"/proc/{pid}/comm", f"{name}\n")
        self.file(f"/proc/{pid}/cmdline", command)
        (self.root / f"proc/{pid}/fd").mkdir()
        for number, held in enumerate(holds):
            self.link(f"/proc/{pid}/fd/{number}", held)

    def listens(self, table: str, address: str, inode: int, state: str = "0A") -> None:
        """A socket, its address in the kernel's own words."""
        file = self.root / f"proc/net/{table}"
        before = file.read_text() if file.exists() else SOCKETS
        line = f"   0: {address} 00000000:0000 {state} 0:0 0:0 0 0 0 {inode} 1 0 100 0\n"
        self.file(f"/proc/net/{table}", before + line)

    def unit(self, name: str, state: str = "active", **properties: str) -> None:
        """A unit of systemd that is there."""
        unit = {"Id": name, "Names": name, "LoadState": "loaded", "ActiveState": state}
        self.units[name] = {**unit, **properties}
        blocks = ("\n".join(f"{key}={one[key]}" for key in one) for one in self.units.values())
        said = self.file("/said/units", "\n\n".join(blocks) + "\n")
        self.program(
            "systemctl",
            f'case "$*" in *--property=Id,*) cat {said};; *LimitNOFILE*) echo 524288;; esac',
        )

    def raw(self, folders: tuple[str, ...] = (), limit_s: float = 10) -> dict[str, Any]:
        """What the module sends to Ansible, through JSON."""
        host_facts = module("host", "host_facts")
        server = host_facts.Server(str(self.root), limit_s)
        sent: dict[str, Any] = json.loads(json.dumps(host_facts.gather(server, list(folders))))
        return sent

    def facts(self, **options: Any) -> HostFacts:
        """The same as the roles' decisions get it."""
        return read(self.raw(**options))
