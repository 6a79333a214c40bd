"""The kubeconfig of a server's K3s on the operator's machine: whose it is, what stands in it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import yaml

MARK = "# Written by Synapse: the K3s of {host}. Overwritten by the next `make site`.\n"
PREFIX = MARK.split("{", maxsplit=1)[0]


def kubeconfig(text: str, host: str, api_url: str) -> str:
    """Return K3s' own kubeconfig for use from another machine, its entries named by the server.

    Raises ValueError where it is none.
    """
    config: Any = yaml.safe_load(text)
    try:
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    except (KeyError, IndexError, TypeError):
        raise ValueError(
            "k3s.yaml on the server is no kubeconfig with a cluster and a user"
        ) from None
    # Ansible's own kinds of text cannot be written as YAML.
    name, server = f"synapse-{host}", f"{api_url}"
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {**cluster, "server": server}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return MARK.format(host=host) + yaml.safe_dump(made, sort_keys=False)


def is_own(text: str, host: str) -> bool:
    """Tell whether a file holds what this function's neighbour wrote for the same server."""
    return text == "" or text.startswith(MARK.format(host=host))


def api_url(
    facts: Mapping[str, Any], reached_at: str, port: int, resolves: Callable[[str], bool]
) -> str:
    """Return where the operator's machine finds the API.

    It is where Ansible finds the server; a name that only ssh knows becomes the server's address.
    """
    if not reached_at:
        return f"https://127.0.0.1:{port}"
    system = facts.get("system", {})
    address = str(system.get("address", "")) if isinstance(system, Mapping) else ""
    name = reached_at if resolves(reached_at) or not address else address
    return f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"


def resolves(name: str) -> bool:
    """Tell whether this machine knows the address of a name."""
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True


def found_api_url(facts: Mapping[str, Any], reached_at: str, port: int) -> str:
    """Return where this machine finds the API."""
    return api_url(facts, reached_at, port, resolves)
