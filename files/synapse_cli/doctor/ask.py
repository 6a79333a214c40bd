"""Asks the servers of the inventory for their facts, through Ansible, as a deployment does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from synapse_cli.doctor.server import Asked

LIMIT_S = 180.0
GROUP = "server"
# Else a hosts.yml with a fault is one without servers.
STRICT = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}


def ask_servers(site: Mapping[str, Any]) -> Asked:
    """Return what the module `host_facts` says on each host of the group `server`.

    Where sudo wants a password, Ansible asks for it at the terminal if it was told to.
    """
    disks = site.get("synapse_disks") or {}
    folders = {"folders": [path for path in disks.values() if path]}
    with TemporaryDirectory(prefix="synapse-doctor-") as answers:
        command = [
            sys.executable, "-m", "ansible", "adhoc", GROUP, "--become",
            "--module-name", "host_facts", "--args", json.dumps(folders), "--tree", answers,
        ]  # fmt: skip
        try:
            run = subprocess.run(  # noqa: S603  (words of our own)
                command, capture_output=True, text=True, timeout=LIMIT_S, env=os.environ | STRICT
            )
        except subprocess.TimeoutExpired:
            told = f"The server did not tell its facts within {LIMIT_S:.0f} s: is it overloaded?"
            return Asked(fault=told)
        files = sorted(Path(answers).iterdir())
        found = {file.name: json.loads(file.read_text()) for file in files}
    if not found and run.returncode:
        return Asked(fault=f"Ansible asked nobody: {_last_line(run.stderr or run.stdout)}")
    return Asked(found)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("[ERROR]: ")
