"""Was something here before Synapse came? Then nothing is closed, hardened or collected unasked."""

from __future__ import annotations

from collections.abc import Iterator

from synapse_host.facts import HostFacts, Listener

# What a fresh Debian or Ubuntu server, or one that a provider set up, listens with.
SYSTEMS_OWN = frozenset(
    {
        "sshd", "systemd", "systemd-resolve", "systemd-resolved", "systemd-network",
        "systemd-networkd", "systemd-timesyn", "systemd-timesyncd", "init", "chronyd", "ntpd",
        "ntpd-rs", "ntp-daemon", "dhclient", "dhcpcd", "NetworkManager", "avahi-daemon",
        "cloud-init", "rpcbind", "nvidia-persistenced",
    }
)  # fmt: skip
SSH_PORTS = (22,)
# Of the kernel and of address assignment: their sockets name no program.
KERNELS_PORTS = {("udp", 68), ("udp", 546), ("udp", 123), ("udp", 5353)}


def lived_in_by(facts: HostFacts) -> tuple[str, ...]:
    """Return who lives on the server, each in words such as `nginx at tcp 80`; empty: nobody."""
    return tuple(_inhabitants(facts))


def was_lived_in(facts: HostFacts) -> bool:
    """Tell whether the server was in use before Synapse: as was written down at first, else now.

    A K3s that came later to an empty server, by another hand, is somebody's too.
    """
    if not facts.k3s.ours and (facts.k3s.version or facts.k3s.unit != "absent"):
        return True
    if facts.k3s.was_lived_in is not None:
        return facts.k3s.was_lived_in
    return bool(lived_in_by(facts))


def _inhabitants(facts: HostFacts) -> Iterator[str]:
    if facts.k3s.has_run or facts.k3s.version or facts.k3s.unit != "absent":
        yield "K3s"
    for engine in facts.containers:
        yield f"containers of {engine}"
    strangers = [one for one in facts.listeners if not _is_systems_own(one)]
    for at in sorted({(one.protocol, one.port, one.program) for one in strangers}):
        protocol, port, program = at
        yield f"{program or 'a program'} at {protocol} {port}"


def _is_systems_own(one: Listener) -> bool:
    if one.program in SYSTEMS_OWN:
        return True
    if one.program:
        return False
    return one.port in SSH_PORTS or (one.protocol, one.port) in KERNELS_PORTS
