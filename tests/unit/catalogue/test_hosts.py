"""hosts.yml names one server or none; what Synapse would not look at is told."""

import pytest

from synapse_deploy.catalogue.check import unknown
from synapse_deploy.catalogue.hosts import hosts

NONE = {"all": ["localhost"], "ungrouped": ["localhost"], "server": []}


@pytest.mark.parametrize("groups", [{}, NONE, {**NONE, "server": ["forge"]}, {"mine": ["nas"]}])
def test_one_server_or_none_is_good(groups: dict[str, list[str]]) -> None:
    assert hosts(groups) == []


def test_a_second_server_is_refused_by_name() -> None:
    (told,) = hosts({**NONE, "server": ["forge", "anvil"]})
    assert told.startswith("hosts.yml: the group server names 2 hosts, forge, anvil: Synapse sets")


@pytest.mark.parametrize("name", ["agents", "servers", "workers"])
def test_a_group_that_nobody_looks_at_is_told(name: str) -> None:
    (told,) = hosts({**NONE, name: ["forge"]})
    assert f"nothing is done on the hosts of the group {name}." in told


def test_agents_come_later() -> None:
    (problem,) = unknown(["synapse_agents"])
    assert "agents come with a later version" in problem.text
