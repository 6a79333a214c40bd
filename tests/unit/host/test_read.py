"""What comes from a server is looked at before it is believed."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from host_facts_of import facts, forge
from synapse_host.facts import HostFacts
from synapse_host.read import FactsError, read


@pytest.mark.parametrize("server", [facts(), forge()])
def test_facts_survive_the_way_through_json(server: HostFacts) -> None:
    assert read(json.loads(json.dumps(asdict(server)))) == server


def test_values_lose_what_ansible_attaches_to_them() -> None:
    class Tagged(str):
        """As Ansible's own texts."""

    raw = json.loads(json.dumps(asdict(forge())))
    raw["system"]["hostname"] = Tagged("forge")
    raw["driver"]["kind"] = Tagged("open")
    system, driver = read(raw).system, read(raw).driver
    assert (type(system.hostname), type(driver.kind)) == (str, str)


def test_all_that_is_odd_is_told_at_once() -> None:
    raw: dict[str, Any] = json.loads(json.dumps(asdict(forge())))
    raw["system"] |= {
        "cores": "16",
        "has_systemd": 1,
        "swap_gib": True,
        "colour": "red",
        "sudo": "doas",
    }
    raw["gpus"][0]["largest_bar_gib"] = None
    raw["disks"] = "none"
    with pytest.raises(FactsError) as refused:
        read(raw)
    told = str(refused.value)
    odd = ["system.colour is unknown", "system.cores is '16'", "system.has_systemd is 1",
           "system.swap_gib is True", "system.sudo is 'doas'", "gpus[0].largest_bar_gib is None",
           "disks is 'none'"]  # fmt: skip
    assert [one for one in odd if one not in told] == []


def test_a_server_that_says_nothing_of_its_system() -> None:
    with pytest.raises(FactsError, match="missing 1 required positional argument: 'system'"):
        read({"k3s": {"config_files": []}})
