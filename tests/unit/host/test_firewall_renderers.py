"""Each firewall is told the same, and where a program is here it looks at its text itself.

tests/service/firewall sends real connections through those of nftables.
"""

import xml.etree.ElementTree as ElementTree

import pytest

from network_lab import missing, run
from synapse_host.firewall import firewalld, nftables, ufw
from synapse_host.firewall.rules import API, SSH, Opening, Rules

RULES = Rules(
    openings=(
        Opening(22, why=SSH),
        Opening(6443, clients=("192.168.1.0/24", "192.168.1.7", "fd00::/64"), why=API),
        Opening(8000),
        Opening(53, "udp", ("10.0.0.1",)),
    ),
    pods=("10.42.0.0/16", "fd42::/56"),
    has_multicast_dns=True,
)


@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("text", [nftables.ruleset(RULES), nftables.forwarding(RULES)])
def test_nftables_takes_the_file(text: str) -> None:
    run("unshare", "--net", "nft", "--check", "--file", "-", stdin=text)


@pytest.mark.parametrize("text", [nftables.ruleset(RULES), nftables.forwarding(RULES)])
def test_the_file_replaces_its_own_table_and_touches_no_other(text: str) -> None:
    lines = [line for line in text.splitlines() if not line.startswith(("#", "\t"))]
    assert lines == ["table inet synapse", "delete table inet synapse", "table inet synapse {", "}"]
    assert "flush" not in text


def test_who_asks_for_members_of_a_multicast_group_is_answered_in_both_families() -> None:
    """Else a switch that listens sends nothing more for the server's own name, forge.local."""
    text = nftables.ruleset(RULES)
    assert "ip protocol igmp accept" in text
    assert "mld-listener-query" in text


def test_an_address_within_a_named_network_is_not_written_beside_it() -> None:
    """nftables refuses a set with overlaps."""
    assert "ip saddr { 192.168.1.0/24 } accept" in nftables.ruleset(RULES)


def test_ufw_is_told_what_to_let_in_but_of_ssh_which_comes_in_already() -> None:
    assert ufw.wanted(RULES) == [
        "allow from 192.168.1.0/24 to any port 6443 proto tcp",
        "allow from 192.168.1.7 to any port 6443 proto tcp",
        "allow from fd00::/64 to any port 6443 proto tcp",
        "allow 8000/tcp",
        "allow from 10.0.0.1 to any port 53 proto udp",
        "allow 5353/udp",
        "allow in on cni0 from 10.42.0.0/16",
        "route allow in on cni0 from 10.42.0.0/16",
        "route allow out on cni0 to 10.42.0.0/16",
        "allow in on cni0 from fd42::/56",
        "route allow in on cni0 from fd42::/56",
        "route allow out on cni0 to fd42::/56",
    ]


ADDED = """\
Added user rules (see 'ufw status' for running firewall):
ufw limit 22/tcp
ufw limit 8000/tcp
ufw allow 9090/tcp comment 'my own'
ufw allow 5353/udp comment 'synapse'
ufw allow from 192.168.1.5 to any port 6443 proto tcp comment 'synapse'
ufw route allow in on cni0 from 10.50.0.0/16 comment 'synapse'
"""


def test_rules_of_the_owner_stay_and_ours_follow_the_site() -> None:
    assert ufw.commands(["allow 8000/tcp", "allow 5353/udp", "allow 22000/tcp"], ADDED) == [
        "allow 22000/tcp comment synapse",
        "delete allow from 192.168.1.5 to any port 6443 proto tcp",
        "route delete allow in on cni0 from 10.50.0.0/16",
    ]


def test_what_was_added_is_not_added_again() -> None:
    wanted = ufw.wanted(RULES)
    added = "\n".join(f"ufw {rule} comment 'synapse'" for rule in wanted)
    assert ufw.commands(wanted, added) == []


def test_firewalld_gets_a_policy_for_ports_and_a_zone_for_pods() -> None:
    policy = ElementTree.fromstring(firewalld.policy(RULES))
    assert policy.attrib == {"target": "CONTINUE"}
    assert [port.attrib for port in policy.findall("port")] == [{"port": "8000", "protocol": "tcp"}]
    rules = [
        (rule.attrib["family"], rule[0].attrib["address"], rule[1].attrib["port"], rule[2].tag)
        for rule in policy.findall("rule")
    ]
    assert rules == [
        ("ipv4", "192.168.1.0/24", "6443", "accept"),
        ("ipv4", "192.168.1.7", "6443", "accept"),
        ("ipv6", "fd00::/64", "6443", "accept"),
        ("ipv4", "10.0.0.1", "53", "accept"),
    ]
    zone = ElementTree.fromstring(firewalld.zone(["10.42.0.0/16"]))
    assert [source.attrib for source in zone.findall("source")] == [{"address": "10.42.0.0/16"}]
