"""A server with pods and a container, a machine that may reach its API, and a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from network_lab import Lab, Machine, missing
from synapse_host.firewall.rules import API, SSH, Opening, Rules

SERVER, SERVER_V6, SECOND = "192.168.50.1", "fd50::1", "192.168.50.9"
POD, CONTAINER, API_SERVICE = "10.42.0.5", "172.17.0.2", "10.43.0.1"
RULES = Rules(
    openings=(
        Opening(22, why=SSH),
        Opening(6443, clients=("192.168.50.2", "fd50::2"), why=API),
        Opening(8000, why="the gateway"),
        Opening(443),
        Opening(5000, clients=("192.168.50.0/30",)),
        Opening(30022, clients=("192.168.50.2",)),
    )
)
# What K3s and Docker do in their own tables. A load balancer's port, a pod's host port and a
# NodePort lead to a pod; the service of the API leads to the server itself.
FORWARDING = f"""
table ip nat {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    ip daddr {{ {SERVER}, 10.42.0.1 }} tcp dport {{ 8000, 8800 }} dnat to {POD}:80
    fib daddr type local tcp dport {{ 30080, 30022 }} dnat to {POD}:80
    fib daddr type local tcp dport 30443 dnat to {SERVER}:10250
    ip daddr {SECOND} tcp dport 443 dnat to {POD}:80
    ip daddr {API_SERVICE} tcp dport 443 dnat to {SERVER}:6443
    fib daddr type local tcp dport 9000 dnat to {CONTAINER}:80
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "lan" ip saddr {{ 10.42.0.0/16, 172.17.0.0/16 }} masquerade
  }}
}}
"""


@dataclass(frozen=True)
class Network:
    """Its machines; everybody listens at everything that is asked for in the tests."""

    server: Machine
    named: Machine
    stranger: Machine
    pod: Machine
    container: Machine


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if why := missing():
        pytest.skip(why)
    with Lab() as lab, ExitStack() as listening:
        switch = lab.machine("switch")
        names = ("server", "named", "stranger", "pod", "container")
        found = {name: lab.machine(name) for name in names}
        switch.run("ip", "link", "add", "bridge", "type", "bridge")
        switch.run("ip", "link", "set", "bridge", "up")
        for number, name in enumerate(("server", "named", "stranger"), start=1):
            lab.cable(found[name], "lan", switch, name)
            found[name].addresses("lan", f"192.168.50.{number}/24", f"fd50::{number}/64")
            switch.run("ip", "link", "set", name, "master", "bridge", "up")
        server = found["server"]
        server.run("ip", "address", "add", f"{SECOND}/24", "dev", "lan")
        for name, interface, gateway, address in (
            ("pod", "cni0", "10.42.0.1", POD),
            ("container", "docker0", "172.17.0.1", CONTAINER),
        ):
            lab.cable(server, interface, found[name], "eth0")
            server.addresses(interface, f"{gateway}/16")
            found[name].addresses("eth0", f"{address}/16")
            found[name].run("ip", "route", "add", "default", "via", gateway)
        # Who knows the way tries the addresses of pods and services themselves.
        for name in ("named", "stranger"):
            for inside in ("10.42.0.0/16", "10.43.0.0/16"):
                found[name].run("ip", "route", "add", inside, "via", SERVER)
        # Each refusal is told, not only the first few of a second.
        told = ("net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        server.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", *told)
        server.run("nft", "-f", "-", stdin=FORWARDING)
        listening.enter_context(server.listening((22, 443, 5000, 5432, 6443, 10250)))
        listening.enter_context(found["stranger"].listening((7000,)))
        for name in ("pod", "container"):
            listening.enter_context(found[name].listening((80,)))
        yield Network(**found)
