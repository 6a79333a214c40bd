"""Who asked is the connection's other end, unless a proxy of ours says more."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from synapse_gateway.client_address import HOPS, Proxies, sender_of

INGRESS = "10.42.0.9"
OURS = Proxies(["10.42.0.0/16", "fd00::1"])


def asked(proxies: Proxies, peer: str | None, *told: str) -> str | None:
    """Return who asked, where each text is one header."""
    headers = CIMultiDict([("X-Forwarded-For", text) for text in told])
    return proxies.client_of(peer, CIMultiDictProxy(headers))


@pytest.mark.parametrize("peer", ["192.0.2.7", INGRESS, None])
def test_without_a_proxy_nobody_is_believed(peer: str | None) -> None:
    assert asked(Proxies([]), peer, "203.0.113.9") == peer


def test_a_client_that_is_no_proxy_is_not_believed() -> None:
    assert asked(OURS, "192.0.2.7", "203.0.113.9") == "192.0.2.7"


@pytest.mark.parametrize(
    ("told", "client"),
    [
        (("192.0.2.7",), "192.0.2.7"),
        (("203.0.113.9, 192.0.2.7",), "192.0.2.7"),
        (("203.0.113.9", "192.0.2.7"), "192.0.2.7"),
        (("192.0.2.7, 10.42.0.3",), "192.0.2.7"),
        (("2001:db8::5",), "2001:db8::5"),
        (("::ffff:192.0.2.7",), "192.0.2.7"),
        ((), INGRESS),
        (("",), INGRESS),
        (("192.0.2.7, nobody",), INGRESS),
        (("192.0.2.7:4711",), INGRESS),
        (("10.42.0.3",), "10.42.0.3"),
        (("192.0.2.7" + ", 10.42.0.3" * HOPS,), "10.42.0.3"),
    ],
)
def test_a_proxy_of_ours_tells_the_last_address_that_is_none(
    told: tuple[str, ...], client: str
) -> None:
    assert asked(OURS, INGRESS, *told) == client


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
        ("nobody", "nobody"),
    ],
)
def test_an_address_is_counted_under_its_owner(address: str | None, sender: str) -> None:
    assert sender_of(address) == sender
