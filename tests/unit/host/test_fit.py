"""Which servers are refused, and on which somebody lives already."""

from typing import Any

import pytest

from host_facts_of import facts, forge, with_k3s, with_system
from synapse_host.facts import HostFacts, K3s, Listener
from synapse_host.fit import inhabitants_of, is_known, unfit
from synapse_host.lived_in import lived_in_by, was_lived_in

DHCP = Listener("udp", "0.0.0.0", 68, "")
RESOLVER = Listener("udp", "0.0.0.0", 5355, "systemd-resolve")


@pytest.mark.parametrize("server", [facts(), forge()])
def test_a_server_that_does(server: HostFacts) -> None:
    assert unfit(server) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"has_systemd": False}, "was not started by systemd"),
        ({"architecture": "riscv64"}, "Its CPU is riscv64; there is K3s for x86_64 and aarch64"),
        ({"is_root": False}, "Ansible is not root there"),
        ({"kernel": ""}, "It runs no Linux"),
        ({"id": "fedora", "version": "43"}, "It runs fedora 43, and Synapse installs Kubernetes on "
         "Debian 12 and 13, Ubuntu 24.04 and 26.04."),
    ],
)  # fmt: skip
def test_a_server_that_does_not(changes: dict[str, Any], told: str) -> None:
    (sentence,) = unfit(with_system(facts(), **changes))
    assert told in sentence


def test_every_reason_is_told_at_once() -> None:
    assert len(unfit(with_system(facts(), has_systemd=False, is_root=False, id="arch"))) == 3


def test_on_an_unknown_system_k3s_is_adopted() -> None:
    server = with_system(facts(k3s=K3s(version="v1.33.5+k3s1")), id="fedora", version="43")
    assert not is_known(server.system)
    assert unfit(server) == ()


@pytest.mark.parametrize(
    ("server", "who"),
    [
        (facts(), ()),
        (facts(listeners=(*facts().listeners, DHCP, RESOLVER)), ()),
        (facts(listeners=(Listener("tcp", "::", 80, "nginx"),) * 2), ("nginx at tcp 80",)),
        (facts(listeners=(Listener("udp", "::", 51820, ""),)), ("a program at udp 51820",)),
        (facts(listeners=(Listener("tcp", "::", 25, "master"),)), ("master at tcp 25",)),
        (facts(containers=("docker",)), ("containers of docker",)),
        (facts(k3s=K3s(has_run=True)), ("K3s",)),
        (facts(k3s=K3s(unit="inactive")), ("K3s",)),
    ],
)
def test_who_lives_on_a_server(server: HostFacts, who: tuple[str, ...]) -> None:
    assert lived_in_by(server) == who
    assert was_lived_in(server) is bool(who)


def test_what_was_written_down_at_first_counts() -> None:
    assert was_lived_in(forge()) is False
    assert was_lived_in(with_k3s(facts(), was_lived_in=True)) is True


def test_a_k3s_that_another_hand_brought_later_counts_too() -> None:
    theirs = with_k3s(facts(), was_lived_in=False, version="v1.34.1+k3s1", unit="active")
    assert was_lived_in(theirs) is True
    assert was_lived_in(with_k3s(theirs, ours="v1.34.1+k3s1")) is False


def test_the_role_asks_with_what_the_module_sent() -> None:
    assert inhabitants_of({"system": {**vars(facts().system)}, "containers": ["podman"]}) == [
        "containers of podman"
    ]
