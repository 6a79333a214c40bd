"""All that Synapse decides on, of one server."""

from __future__ import annotations

from .disks import disks_of
from .driver import driver_of, packages_of
from .firewalls import firewalls_of
from .gpu import gpus_of
from .k3s import k3s_of
from .keepers import keepers_of
from .listeners import listeners_of
from .processes import Processes
from .server import Facts, Server
from .system import system_of
from .toolkit import toolkit_of
from .units import units_of


def gather(server: Server, folders: list[str]) -> Facts:
    """Return all facts of a server."""
    units = units_of(server)
    processes = Processes(server)
    k3s = k3s_of(server, units, processes)
    packages = packages_of(server)
    facts = {
        "system": system_of(server, units),
        "disks": list(disks_of(server, [str(k3s["data_dir"]), *folders])),
        "listeners": listeners_of(server, processes),
        "firewalls": firewalls_of(server, units),
        "k3s": k3s,
        "gpus": list(gpus_of(server)),
        "driver": driver_of(server, packages, processes),
        "toolkit": toolkit_of(server, packages),
        "containers": keepers_of(server, has_k3s=bool(k3s["version"] or k3s["has_run"])),
    }
    return {**facts, "unseen": sorted(server.unseen)}
