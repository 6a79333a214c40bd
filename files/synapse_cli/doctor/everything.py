"""All that `make doctor` looks at, from this machine to the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

from synapse_cli.cluster import Cluster
from synapse_cli.doctor.cluster import cluster
from synapse_cli.doctor.machine import machine
from synapse_cli.doctor.report import as_json, report
from synapse_cli.doctor.server import Asked, servers
from synapse_cli.doctor.site import catalogue
from synapse_cli.site import SiteError
from synapse_common.finding import Finding


def doctor(
    connect: Callable[[], Cluster],
    read_site: Callable[[], Mapping[str, Any]],
    ask_servers: Callable[[Mapping[str, Any]], Asked],
    console: Console,
    *,
    to_json: bool = False,
) -> int:
    """Look at everything, print it and return the exit status: 1 when something is wrong."""
    findings = [*machine()]
    site: Mapping[str, Any] = {}
    try:
        site = read_site()
    except SiteError as fault:
        findings.append(Finding("site", "catalogue", "not read", str(fault)))
        findings.append(Finding("server", "server", "not asked: the site names it"))
    else:
        findings += catalogue(site)
        findings += servers(ask_servers(site), site)
    findings += cluster(connect, site)
    return (as_json if to_json else report)(findings, console)
