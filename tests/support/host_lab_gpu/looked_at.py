"""A server's facts as the product reads them, and what its rules say of them."""

import json
from collections.abc import Iterable

from host_lab import lab
from host_lab.server import Server
from synapse_host.facts import HostFacts
from synapse_host.read import read
from synapse_host.rules import Rule
from synapse_testbed.commands import run

SITE = {"synapse_gpus": [{"name": "rtx5090"}]}


def facts_of(server: Server) -> HostFacts:
    """Ask the server over ssh, with the module that roles and `make doctor` use."""
    hosts = lab.folder_of(server.name) / "hosts.yml"
    asked = ["ansible", f"--inventory={hosts}", "server", "--become", "--one-line"]
    told = run([*asked, "--module-name=host_facts"], limit_s=120)
    return read(json.loads(told.partition("=>")[2])["facts"])


def remedies(facts: HostFacts, rules: Iterable[Rule]) -> dict[str, str]:
    """Return what these rules looked at and found wrong, with the sentence for it."""
    found = [one for rule in rules for one in rule(facts, SITE)]
    return {one.what: one.remedy for one in found if one.remedy}
