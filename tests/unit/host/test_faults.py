"""What a role asks of the rules: sentences that stop it, from facts as the module sent them."""

from dataclasses import asdict
from typing import Any

import pytest

from host_facts_of import facts, forge, with_driver, with_k3s, with_system
from synapse_host.facts import HostFacts
from synapse_host.faults import faults
from synapse_host.read import FactsError

SITE = {"synapse_gpus": [{"vram_gib": 31.4}]}


def sent(there: HostFacts) -> dict[str, Any]:
    """These facts as the module sends them."""
    raw = asdict(there)
    raw["k3s"]["config_files"] = []
    return raw


def test_a_role_is_told_what_it_has_to_wait_for() -> None:
    assert faults(sent(with_driver(forge(), loaded="", cards=(), library="")), "gpu", SITE) == [
        "driver: none. NVIDIA's driver is missing: write nvidia_install: true into platform.yml "
        "and run `.venv/bin/ansible-playbook site.yml --tags nvidia`, or install "
        "linux-modules-nvidia-580-open-generic yourself and reboot."
    ]
    assert faults(sent(with_system(facts(), memory_gib=1.0)), "server", SITE) == [
        "cores and memory: 16, 1.0 GiB. K3s alone asks for 2 cores and 2 GiB."
    ]


def test_a_role_goes_on_where_it_mends_by_itself() -> None:
    assert not faults(sent(with_k3s(forge(), containerd_runtimes=("runc",))), "gpu", SITE)


def test_what_roles_decide_by_themselves_is_not_said_twice() -> None:
    assert not faults(sent(with_system(facts(), has_systemd=False)), "server", SITE)
    assert not faults(sent(with_k3s(forge(), is_agent=True)), "server", SITE)


def test_facts_that_nobody_sends_are_refused() -> None:
    with pytest.raises(FactsError, match="system is 3"):
        faults({"system": 3}, "server", SITE)
