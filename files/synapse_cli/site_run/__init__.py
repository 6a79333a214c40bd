"""`make site`: from an empty server to an answered request, phase by phase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synapse_cli.cluster import Cluster
from synapse_cli.site_run.ending import Ending
from synapse_cli.site_run.phases import phases
from synapse_cli.site_run.run import SiteRun
from synapse_cli.site_run.running import Running, servers
from synapse_cli.version import ROOT

LOG = Path(".render/site.log")


def site_run(
    connect: Callable[[], Cluster], begin: str, agreed: Callable[[str], bool], *, all_agreed: bool
) -> int:
    """Go through all phases, or from `begin` on; return the exit status."""
    log = ROOT / LOG
    running = Running(ROOT, log)
    ending = Ending(connect)
    run = SiteRun(phases(servers(ROOT)), running, ending, agreed, all_agreed, LOG, running.say)
    return run.go(begin)
