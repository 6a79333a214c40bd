"""Real connections through the rules: what comes in, and what does not."""

from __future__ import annotations

import pytest

from synapse_host.firewall import nftables

from .conftest import API_SERVICE, POD, RULES, SECOND, SERVER, SERVER_V6, Network

STRANGER = "192.168.50.3:7000"
# target: who answers without rules, to the machine that is named, to a stranger.
CASES = {
    f"{SERVER}:22": ("server", "server", "server"),
    f"{SERVER}:443": ("server", "server", "server"),
    f"{SERVER}:5000": ("server", "server", "server"),
    f"{SERVER}:6443": ("server", "server", "nobody"),
    f"[{SERVER_V6}]:22": ("server", "server", "server"),
    f"[{SERVER_V6}]:6443": ("server", "server", "nobody"),
    f"[{SERVER_V6}]:10250": ("server", "nobody", "nobody"),
    f"{SERVER}:10250": ("server", "nobody", "nobody"),
    f"{SERVER}:5432": ("server", "nobody", "nobody"),
    # Ports that lead to a pod or to a container: the one that was asked for counts.
    f"{SERVER}:8000": ("pod", "pod", "pod"),
    f"{SERVER}:8800": ("pod", "nobody", "nobody"),
    f"{SERVER}:30080": ("pod", "nobody", "nobody"),
    f"{SERVER}:30022": ("pod", "pod", "nobody"),
    f"{SERVER}:30443": ("server", "nobody", "nobody"),
    f"{SERVER}:9000": ("container", "nobody", "nobody"),
    f"{SECOND}:443": ("pod", "pod", "pod"),
    # Around them, by addresses that are the cluster's own.
    f"{POD}:80": ("pod", "nobody", "nobody"),
    f"{API_SERVICE}:443": ("server", "nobody", "nobody"),
}


@pytest.fixture
def opened(network: Network) -> Network:
    network.server.run(
        "nft", "-f", "-", stdin=f"table {nftables.TABLE}\ndelete table {nftables.TABLE}"
    )
    return network


@pytest.fixture
def closed(network: Network) -> Network:
    network.server.run("nft", "-f", "-", stdin=nftables.ruleset(RULES))
    return network


def test_without_rules_everybody_is_reached(opened: Network) -> None:
    """Else the others would prove nothing; and so it stays where nothing is enforced."""
    expected = {target: answers[0] for target, answers in CASES.items()}
    assert opened.named.reached(*CASES) == expected
    assert opened.stranger.reached(*CASES) == expected


def test_who_is_named_reaches_the_api_and_what_is_open(closed: Network) -> None:
    assert closed.named.reached(*CASES) == {target: each[1] for target, each in CASES.items()}


def test_a_stranger_reaches_only_what_is_open_to_all(closed: Network) -> None:
    assert closed.stranger.reached(*CASES) == {target: each[2] for target, each in CASES.items()}


def test_pods_reach_the_server_its_services_and_the_network(closed: Network) -> None:
    targets = (f"{SERVER}:6443", "10.42.0.1:10250", f"{API_SERVICE}:443", STRANGER)
    answers = ("server", "server", "server", "stranger")
    assert closed.pod.reached(*targets) == dict(zip(targets, answers, strict=True))


def test_the_server_reaches_itself_and_everybody(closed: Network) -> None:
    targets = ("127.0.0.1:5432", f"{SERVER}:10250", f"{POD}:80", STRANGER)
    answers = ("server", "server", "pod", "stranger")
    assert closed.server.reached(*targets) == dict(zip(targets, answers, strict=True))


def test_a_container_of_somebody_else_still_reaches_the_network(closed: Network) -> None:
    assert closed.container.reached(STRANGER) == {STRANGER: "stranger"}


def test_a_stranger_with_a_pods_address_is_a_stranger(closed: Network) -> None:
    closed.stranger.run("ip", "address", "add", "10.42.77.7/32", "dev", "lan")
    closed.server.run("ip", "route", "add", "10.42.77.7/32", "dev", "lan")
    closed.stranger.run("ip", "route", "add", "192.168.50.1/32", "dev", "lan", "src", "10.42.77.7")
    try:
        target = f"{SERVER}:5432"
        assert closed.stranger.reached(target) == {target: "nobody"}
    finally:
        closed.stranger.run("ip", "route", "delete", "192.168.50.1/32", "dev", "lan")
        closed.server.run("ip", "route", "delete", "10.42.77.7/32", "dev", "lan")


def test_beside_ufw_or_firewalld_only_ports_of_pods_and_containers_are_closed(
    network: Network,
) -> None:
    network.server.run("nft", "-f", "-", stdin=nftables.forwarding(RULES))
    own = {f"{SERVER}:5432": "server", f"{SERVER}:10250": "server", f"{SERVER}:6443": "server"}
    others = {
        target: each[2]
        for target, each in CASES.items()
        if each[0] != "server" or "30443" in target
    }
    assert network.stranger.reached(*own, *others) == {**own, **others}


def test_rules_replace_rules_and_leave_other_tables(closed: Network) -> None:
    closed.server.run("nft", "-f", "-", stdin=nftables.ruleset(RULES))
    tables = closed.server.run("nft", "list", "tables").split("\n")
    assert tables == ["table ip nat", "table inet synapse", ""]
    before = closed.server.run("nft", "--stateless", "list", "table", "inet", "synapse")
    closed.server.run("nft", "-f", "-", stdin=nftables.ruleset(RULES))
    assert closed.server.run("nft", "--stateless", "list", "table", "inet", "synapse") == before
