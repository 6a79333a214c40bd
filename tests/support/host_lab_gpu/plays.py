"""Run a play on a server of the lab, as a site with an RTX 5090 does."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from host_lab import lab
from host_lab.server import Server

ROOT = Path(__file__).parents[3]
SITE = ("inventory/common", "inventory/examples/rtx5090")
LIMIT_S = 600


def play(
    server: Server, name: str, options: Mapping[str, object], *, on: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one of the playbooks to its end, well or not; `on` names the hosts if not the server."""
    inventories = [*SITE, str(lab.folder_of(server.name) / "hosts.yml")]
    return subprocess.run(
        [
            "ansible-playbook",
            *(f"--inventory={one}" for one in inventories),
            f"--extra-vars={json.dumps(options)}",
            f"--limit={on or server.name}",
            f"playbooks/{name}.yml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
