"""What is to reach a server follows from its facts and its site; who is connected stays so."""

from dataclasses import replace
from typing import Any

import pytest

from host_facts_of import SSH, facts, forge, with_k3s, with_system
from synapse_host.facts import Firewalls, HostFacts, Listener
from synapse_host.firewall.plan import closed, through_which
from synapse_host.firewall.rules import Opening, Site, rules_of, site_of, ssh_ports

NGINX = Listener("tcp", "0.0.0.0", 8080, "nginx")
SITE = Site(gateway_port=8000)


def openings(found: HostFacts, site: Site = SITE) -> dict[int, tuple[str, ...]]:
    return {opening.port: opening.clients for opening in rules_of(found, site).openings}


def test_a_bare_server_opens_ssh_the_api_to_who_sets_it_up_and_the_gateway() -> None:
    assert openings(facts()) == {22: (), 6443: ("192.168.1.20",), 8000: ()}


def test_what_the_site_opens_is_opened_to_whom_it_names() -> None:
    ports: list[dict[str, Any]] = [
        {"port": 22000},
        {"port": 53, "protocol": "udp", "clients": ["192.168.1.0/24"]},
    ]
    site = site_of("30800", ports, ["10.0.0.0/8"])
    opened = rules_of(facts(), site).openings
    assert {(each.protocol, each.port, each.clients) for each in opened} == {
        ("tcp", 22, ()),
        ("tcp", 6443, ("10.0.0.0/8", "192.168.1.20")),
        ("tcp", 30800, ()),
        ("tcp", 22000, ()),
        ("udp", 53, ("192.168.1.0/24",)),
    }


def test_who_sets_the_server_up_from_a_named_network_is_not_named_twice() -> None:
    site = Site(api_clients=("192.168.1.0/24",))
    assert openings(facts(), site)[6443] == ("192.168.1.0/24",)


@pytest.mark.parametrize(
    ("reached_from", "clients"), [("fe80::5%eth0", ("fe80::5",)), ("fd00::7", ("fd00::7",))]
)
def test_an_operator_is_reached_by_ipv6_too(reached_from: str, clients: tuple[str, ...]) -> None:
    found = with_system(facts(), reached_from=reached_from)
    assert openings(found)[6443] == clients


def test_without_ssh_nobody_outside_reaches_the_api() -> None:
    assert 6443 not in openings(with_system(facts(), reached_from=""))


SYSTEMD = Listener("tcp", "0.0.0.0", 2222, "systemd")


@pytest.mark.parametrize(
    ("listeners", "reached_at", "ports"),
    [
        ((SSH,), 22, (22,)),
        ((replace(SSH, port=2022), SSH), 0, (22, 2022)),
        # systemd listens for ssh: the port of the connection tells, and without one all of its do.
        ((SYSTEMD,), 2222, (22, 2222)),
        ((SYSTEMD,), 0, (22, 2222)),
        ((SSH, SYSTEMD), 0, (22,)),
        ((), 0, (22,)),
    ],
)
def test_the_way_in_is_never_closed(
    listeners: tuple[Listener, ...], reached_at: int, ports: tuple[int, ...]
) -> None:
    found = with_system(facts(listeners=listeners), reached_at=reached_at)
    assert ssh_ports(found) == ports


def test_networks_and_port_of_the_api_are_those_of_k3s() -> None:
    config: dict[str, Any] = {
        "cluster-cidr": "10.50.0.0/16,fd42::/56",
        "service-cidr": ["10.51.0.0/16"],
        "https-listen-port": 7443,
    }
    rules = rules_of(with_k3s(facts(), config=config), SITE)
    assert rules.pods == ("10.50.0.0/16", "fd42::/56")
    assert rules.services == ("10.51.0.0/16",)
    assert rules.opens("tcp", 7443)
    assert not rules.opens("tcp", 6443)


def test_the_name_in_the_network_stays_known_where_the_server_tells_it() -> None:
    avahi = Listener("udp", "0.0.0.0", 5353, "avahi-daemon")
    assert rules_of(facts(listeners=(SSH, avahi)), SITE).opens("udp", 5353)
    assert not rules_of(facts(), SITE).opens("udp", 5353)


def test_everybody_who_would_be_cut_off_is_named_once() -> None:
    found = facts(
        listeners=(SSH, NGINX, replace(NGINX, address="::"), replace(NGINX, port=8443)),
        firewalls=Firewalls(forwarded=(Listener("tcp", "", 80, "kube-system/traefik"),)),
    )
    assert list(closed(found, rules_of(found, SITE))) == [
        "kube-system/traefik is no longer reached from outside at tcp 80",
        "nginx is no longer reached from outside at tcp 8080, tcp 8443",
    ]


def test_that_the_api_answers_fewer_is_said_where_k3s_runs() -> None:
    found = forge()
    assert list(closed(found, rules_of(found, SITE))) == [
        "the Kubernetes API at tcp 6443 answers only to 192.168.1.20"
    ]


def test_what_the_site_opens_and_answers_to_the_server_are_not_named() -> None:
    dhcp = Listener("udp", "0.0.0.0", 68, "dhclient")
    found = facts(listeners=(SSH, NGINX, dhcp))
    site = Site(open_ports=(Opening(8080),))
    assert list(closed(found, rules_of(found, site))) == []


@pytest.mark.parametrize(
    ("firewalls", "through"),
    [
        (Firewalls(), "nftables"),
        (Firewalls(ufw="inactive", firewalld="inactive", nftables="active"), "nftables"),
        (Firewalls(ufw="active"), "ufw"),
        (Firewalls(firewalld="active"), "firewalld"),
    ],
)
def test_who_filters_on_the_server_goes_on_doing_so(firewalls: Firewalls, through: str) -> None:
    assert through_which(facts(firewalls=firewalls)) == through
