"""Whose request it is: the address of the connection, or what a proxy of ours says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from multidict import MultiMapping

FORWARDED_FOR = "x-forwarded-for"
HOPS = 8
"""Proxies behind one another that are looked through."""
HOUSE_BITS = 64
"""What one owner has of IPv6: each of its addresses is the same sender."""


class Proxies:
    """The proxies whose word about their clients counts; none by default."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Take addresses and networks, such as 10.42.0.0/16."""
        self._trusted = [ip_network(one) for one in trusted]

    def include(self, address: str | None) -> bool:
        """Say whether an address is a proxy of ours."""
        if not self._trusted or not address:
            return False
        try:
            found = _plain(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)

    def client_of(self, peer: str | None, headers: Mapping[str, str]) -> str | None:
        """Return who asked: the nearest address that is no proxy of ours.

        Only X-Forwarded-For is read, from its end, where each proxy appends whom it saw: what
        a client writes there itself stands before that. `Forwarded` passes most proxies unread.
        """
        if not self.include(peer):
            return peer
        told = headers.getall(FORWARDED_FOR, []) if isinstance(headers, MultiMapping) else []
        hops = ",".join(told).rsplit(",", HOPS)[-HOPS:]
        for hop in reversed(hops):
            try:
                peer = str(_plain(hop.strip()))
            except ValueError:  # what lies behind is nobody's word
                break
            if not self.include(peer):
                break
        return peer


def sender_of(address: str | None) -> str:
    """Return under which name an address is counted: itself, or of IPv6 its network."""
    try:
        found = _plain(address or "")
    except ValueError:
        return address or ""
    if isinstance(found, IPv6Address):
        return str(ip_network((found, HOUSE_BITS), strict=False))
    return str(found)


def _plain(address: str) -> IPv4Address | IPv6Address:
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
