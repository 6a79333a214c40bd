"""Who filters a server's packets, and which ports lead on to pods and containers."""

from __future__ import annotations

import re

from .listeners import listener
from .server import Facts, Server
from .units import state_of

TO_PODS = re.compile(r"-A (\S+) (?:.*?-d ([\d.]+)\S* )?.*?-p (tcp|udp) .*--dports? ([\d,]+)")


def firewalls_of(server: Server, units: dict[str, dict[str, str]]) -> Facts:
    """Return who filters packets.

    ufw's unit is active although ufw is off, and inactive between `ufw enable` and the next start.
    """
    ufw = state_of(units, "ufw.service")
    if ufw in ("active", "inactive"):
        is_on = re.search(r"^ENABLED=yes", server.text("/etc/ufw/ufw.conf"), re.M)
        ufw = "active" if is_on else "inactive"
    tables = re.findall(r"^table (\S+ \S+)$", server.says("nft", "list", "tables"), re.M)
    return {
        "ufw": ufw,
        "firewalld": state_of(units, "firewalld.service"),
        "nftables": state_of(units, "nftables.service"),
        "tables": tables,
        "ours": "inet synapse" in tables,
        "forwarded": forwarded_of(server),
    }


def forwarded_of(server: Server) -> list[Facts]:
    """Return the ports that rules lead to pods (hostPort, NodePort) and to Docker's containers."""
    chains = {"CNI-HOSTPORT-DNAT": "pods", "KUBE-NODEPORTS": "pods", "DOCKER": "docker",
              "NETAVARK-HOSTPORT-DNAT": "podman"}  # fmt: skip
    found = set()
    for line in server.says("iptables-save", "-t", "nat").splitlines():
        rule = TO_PODS.match(line)
        if not rule or rule.group(1) not in chains or str(rule.group(2)).startswith("127."):
            continue
        for port in rule.group(4).split(","):
            program = chains[rule.group(1)]
            found.add((rule.group(3), rule.group(2) or "0.0.0.0", int(port), program))  # noqa: S104
    return [listener(*one) for one in sorted(found)]
