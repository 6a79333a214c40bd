"""Which models are outside the house, and which chains of models lead out of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from synapse_common.engines import ENGINES, LITELLM

Entry = Mapping[str, Any]

HOUSE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""Addresses that no router of the internet knows the way to."""
SERVICE = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9.-]+\.svc(\.cluster\.local)?)?")
"""A name inside the cluster. It begins with a letter: `http://134744072` is an address outside."""


def leaves(model: Entry) -> bool:
    """Say whether requests to a model leave the house, as its entry says or its address tells."""
    engine = ENGINES.get(str(model.get("engine")))
    if engine is None or not engine.is_outside:
        return False
    if isinstance(told := model.get("leaves"), bool):
        return told
    if engine is LITELLM and not all(map(_stays, _urls(model.get("parameters")))):
        return True
    return not _stays(model.get("base_url"))


def ways_out(name: str, models: Mapping[str, Entry]) -> Iterator[list[str]]:
    """Yield the shortest chain from a model to each one outside that may answer in its place."""
    waiting, seen = [[name]], {name}
    while waiting:
        chain = waiting.pop(0)
        model = models.get(chain[-1])
        if model is None:
            continue
        if leaves(model):
            yield chain
            continue
        for fallback in model.get("fallbacks") or ():
            if isinstance(fallback, str) and fallback not in seen:
                seen.add(fallback)
                waiting.append([*chain, fallback])


def _stays(url: object) -> bool:
    """Say whether an address is in the house: a private one, or a name inside the cluster."""
    if not isinstance(url, str):
        return False
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        return any(ip_address(host) in network for network in HOUSE)
    except ValueError:
        return bool(SERVICE.fullmatch(host))


def _urls(value: object) -> Iterator[str]:
    """Yield every address in the parameters of an entry."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _urls(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _urls(inner)
    elif isinstance(value, str) and "://" in value:
        yield value
