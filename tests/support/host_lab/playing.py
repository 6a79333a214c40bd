"""The operator's side: playbooks run against a server of the lab, by ssh, and what they tell."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from host_lab.lab import folder_of, kubeconfig_of

ROOT = Path(__file__).parents[3]
LIMIT_S = 900
# A site as `make init` makes one; its server is one of the lab.
SITE = ("inventory/common", "inventory/examples/no-gpu")
# Molecule asks for colours, which stand between a task's outcome and the line's start.
WITHOUT_COLOUR = {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}


@dataclass(frozen=True)
class Told:
    """The end of a run."""

    rc: int
    text: str

    @property
    def changed(self) -> list[str]:
        """Return the tasks that changed something."""
        return self._tasks("changed")

    @property
    def failed(self) -> list[str]:
        """Return the tasks that failed."""
        return self._tasks("fatal")

    def _tasks(self, outcome: str) -> list[str]:
        parts = re.split(r"^(?:TASK|RUNNING HANDLER) \[(.+?)\] \*+$", self.text, flags=re.MULTILINE)
        assert parts[1:], f"no task was begun: {self.text}"
        return [
            name
            for name, said in zip(parts[1::2], parts[2::2], strict=True)
            if re.search(rf"^{outcome}: ", said, re.MULTILINE)
        ]


@dataclass(frozen=True)
class Site:
    """A site whose server is one of the lab."""

    name: str

    def play(
        self,
        playbook: str,
        *options: str,
        watch: Callable[[str], bool] = lambda _: False,
        **variables: Any,
    ) -> Told:
        """Run a playbook to its end, or kill it when `watch` says so of a line."""
        said = [f"--extra-vars={json.dumps(variables)}"] if variables else []
        with subprocess.Popen(
            ["ansible-playbook", f"playbooks/{playbook}", *options, *said],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            lines = []
            for line in running.stdout:
                lines.append(line)
                if watch(line):
                    running.kill()
            return Told(running.wait(LIMIT_S), "".join(lines))

    def doctor(self) -> dict[str, dict[str, str]]:
        """Return what `make doctor` finds, by what was looked at."""
        command = [sys.executable, "-m", "synapse_cli", "doctor", "--json"]
        told = subprocess.run(
            command, cwd=ROOT, env=self._environment(), stdout=subprocess.PIPE, timeout=LIMIT_S
        )
        found = json.loads(told.stdout)
        assert told.returncode == any(one["level"] == "wrong" for one in found)
        return {one["what"]: one for one in found}

    def facts(self) -> dict[str, Any]:
        """Return what the inventory says of the server."""
        told = yaml.safe_load((folder_of(self.name) / "hosts.yml").read_text())
        found: dict[str, Any] = told["all"]["children"]["server"]["hosts"][self.name]
        return found

    @property
    def kubeconfig(self) -> Path:
        """Return where this site has its kubeconfig."""
        return kubeconfig_of(self.name)

    @property
    def inventories(self) -> list[str]:
        """Return where what is known of the site stands, in the order in which it is read."""
        return [*SITE, str(folder_of(self.name) / "hosts.yml")]

    def _environment(self) -> dict[str, str]:
        site = {"KUBECONFIG": str(self.kubeconfig), "ANSIBLE_INVENTORY": ",".join(self.inventories)}
        return os.environ | site | WITHOUT_COLOUR
