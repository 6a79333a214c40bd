"""A checkout with a site of one's own, as README says it, for a server of the lab.

What differs from a real one is where things come from: K3s' release, NVIDIA's packages and the
images are served on this machine, and the models are those of the testbed.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from host_lab import lab
from host_lab.server import Server
from synapse_testbed.images import HERE as TESTBED
from two_releases import copy_checkout

SITE = TESTBED / "inventory/group_vars/all"
# What the testbed says of its own server, and not of its models.
OF_THE_TESTBED = (
    "synapse_kubeconfig",
    "synapse_gpus",
    "synapse_gateway_service_type",
    "synapse_gateway_node_port",
    "synapse_gateway_url",
    "synapse_cpu_cores",
    "speech_wyoming_service_type",
    "speech_wyoming_node_port",
)
MODELS = "/srv/models"
# A typed value wins over what is found: simulated engines take little of the server's memory.
OF_THE_LAB = {
    "synapse_model_files_path": MODELS,
    "synapse_memory_gib": 182,
    "speech_wyoming": False,
}
LIMIT_S = 1500


@dataclass(frozen=True)
class OwnSite:
    """The checkout, the site's name, and the server that it is for."""

    root: Path
    name: str
    server: Server

    def make(self, *words: str, answers: str = "") -> str:
        """Run `make` as a person with that server's key does; return what it said.

        `answers` is what the person types.
        """
        done = subprocess.run(
            ["make", *words],
            cwd=self.root,
            env=os.environ | self._access(),
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        assert done.returncode == 0, done.stdout + self._log()
        return done.stdout

    def say(self, served: dict[str, Any]) -> None:
        """Write the testbed's models into the site, and where this server fetches from."""
        place = self.root / "inventory" / self.name / "group_vars/all"
        for name in ("models", "aliases", "apps", "images"):
            (place / f"{name}.yml").write_text((SITE / f"{name}.yml").read_text())
        told = yaml.safe_load((SITE / "platform.yml").read_text())
        told = {name: value for name, value in told.items() if name not in OF_THE_TESTBED}
        told |= OF_THE_LAB | served
        (place / "platform.yml").write_text(yaml.safe_dump(told, sort_keys=False))

    @property
    def kubeconfig(self) -> Path:
        """Return where the site's kubeconfig comes to lie."""
        return lab.kubeconfig_of(self.name)

    def _access(self) -> dict[str, str]:
        """Return what ~/.ssh and a person at the keyboard give: key, known host, password."""
        folder = lab.folder_of(self.server.name)
        return {
            "ANSIBLE_PRIVATE_KEY_FILE": str(folder / "id_ed25519"),
            "ANSIBLE_SSH_COMMON_ARGS": lab.ssh_options(folder),
            "ANSIBLE_BECOME_PASSWORD_FILE": str(folder / "password"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def _log(self) -> str:
        log = self.root / ".render/site.log"
        return log.read_text()[-6000:] if log.exists() else ""


def checkout(folder: Path, name: str, server: Server) -> OwnSite:
    """Copy this tree, as a person who cloned it has it."""
    copy_checkout(folder)
    return OwnSite(folder, name, server)
