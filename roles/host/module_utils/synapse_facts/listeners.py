"""The sockets that are reached from outside a server."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from .processes import Processes
from .server import Facts, Server


def listeners_of(server: Server, processes: Processes) -> list[Facts]:
    """Return the sockets that are reached from outside the machine."""
    pods = list(pod_networks(server))
    activated = activated_by(server)
    found = set()
    for table, protocol, waiting in (
        ("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"), ("udp6", "udp", "07"),
    ):  # fmt: skip
        for line in server.text(f"/proc/net/{table}").splitlines()[1:]:
            words = line.split()
            address, port = decoded(words[1])
            if words[3] != waiting or not port or address.is_loopback:
                continue
            if isinstance(address, IPv4Address) and any(address in pod for pod in pods):
                continue
            holders = sorted(processes.of_socket.get(words[9], []), reverse=True)
            pid, program = holders[0] if holders else (0, "")
            if pid == 1:
                program = activated.get(port, program)
            found.add((protocol, str(address), port, program))
    return [listener(*one) for one in sorted(found)]


def decoded(place: str) -> tuple[IPv4Address | IPv6Address, int]:
    """Return address and port of a line in /proc/net: words of the processor's own order."""
    address, port = place.split(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    found = ip_address(struct.pack(f"={len(words)}I", *words))
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found, int(port, 16)


def pod_networks(server: Server) -> Iterator[IPv4Network]:
    """Return the networks behind the interfaces of pods; only pods reach a socket bound there."""
    for line in server.text("/proc/net/route").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[0].startswith(("cni", "flannel")):
            to, mask = (struct.pack("=I", int(word, 16)) for word in (words[1], words[7]))
            yield IPv4Network((to, str(IPv4Address(mask))), strict=False)


def activated_by(server: Server) -> dict[int, str]:
    """Return for which programs systemd itself listens, by port."""
    found = {}
    for line in server.says("systemctl", "list-sockets", "--no-legend", "--no-pager").splitlines():
        port = re.match(r"\S*:(\d+)\s", line.strip())
        if port:
            name = line.split()[-1].split("@")[0].replace(".service", "")
            found[int(port.group(1))] = "sshd" if name in ("ssh", "sshd") else name
    return found


def listener(protocol: str, address: str, port: int, program: str) -> Facts:
    """Return one port that is reached from outside."""
    return {"protocol": protocol, "address": address, "port": port, "program": program}
