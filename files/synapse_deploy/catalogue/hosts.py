"""What a site's hosts.yml may name: one server, or none where somebody else sees to the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SERVER = "server"
# What others call their machines; here nothing would be done on them, and nobody would say so.
OTHERS = (
    "agent", "agents", "control_plane", "k3s_agent", "k3s_agents", "k3s_cluster", "k3s_server",
    "k3s_servers", "master", "masters", "node", "nodes", "servers", "worker", "workers",
)  # fmt: skip


def hosts(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each group of the inventory that Synapse cannot follow."""
    found = []
    servers = groups.get(SERVER) or ()
    if len(servers) > 1:
        found.append(
            f"hosts.yml: the group {SERVER} names {len(servers)} hosts, {', '.join(servers)}: "
            "Synapse sets up one server; agents and further servers come with a later version. "
            "Leave one"
        )
    for name in OTHERS:
        if groups.get(name):
            found.append(
                f"hosts.yml: nothing is done on the hosts of the group {name}. Name the one server "
                f"in the group {SERVER}; agents come with a later version"
            )
    return found
