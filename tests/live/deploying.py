"""Running site.yml against the testbed, with the catalogue as it is or with a changed one."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from .conftest import INVENTORY

REPOSITORY = Path(__file__).parents[2]
CATALOGUE = REPOSITORY / "molecule/testbed/inventory/group_vars/all"
PLAYBOOK_LIMIT_S = 300


def environment() -> dict[str, str]:
    """The environment of a command that works on the testbed's site, told in plain letters."""
    # Molecule asks for colours, which stand inside the words of the recap.
    return os.environ | {"ANSIBLE_INVENTORY": INVENTORY, "ANSIBLE_FORCE_COLOR": "0"}


def play(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run site.yml against the testbed."""
    command = ["ansible-playbook", "site.yml", *arguments]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PLAYBOOK_LIMIT_S,
        check=False,
    )


def recap(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The counts of the play recap, added up over the hosts."""
    assert "PLAY RECAP" in run.stdout, run.stdout + run.stderr
    tail = run.stdout.split("PLAY RECAP")[1]
    counts: dict[str, int] = {}
    for name, number in re.findall(r"(\w+)=(\d+)", tail):
        counts[name] = counts.get(name, 0) + int(number)
    assert "changed" in counts, run.stdout + run.stderr
    return counts


def with_catalogue(tmp_path: Path, **lists: object) -> str:
    """An extra-vars argument that replaces lists of the catalogue, such as synapse_models."""
    target = tmp_path / "change.yml"
    target.write_text(yaml.safe_dump(lists))
    return f"@{target}"


def catalogue(what: str) -> list[dict[str, Any]]:
    """One list of the demo catalogue: models, aliases or apps."""
    text = (CATALOGUE / f"{what}.yml").read_text()
    return list(yaml.safe_load(text)[f"synapse_{what}"])
