"""The catalogue's filters that need more than one function: faults with their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synapse_deploy.catalogue import check, origin


def problems(
    values: Mapping[str, Any], variables: Iterable[str], inventories: Iterable[str]
) -> list[str]:
    """Return every fault of a site: `file:line: sentence`.

    `values` are the variables that a site may set, `variables` the names of all there are,
    `inventories` the folders that were read.
    """
    values = _plain(values)
    return _told([*check.unknown(variables), *check.problems(values)], values, inventories)


def warnings(values: Mapping[str, Any], inventories: Iterable[str]) -> list[str]:
    """Return what the user of a good site may not expect: `file:line: sentence`."""
    values = _plain(values)
    return _told(check.warnings(values), values, inventories)


def wired_problems(values: Mapping[str, Any], inventories: Iterable[str]) -> list[str]:
    """Return every fault of what the wiring sets, or a site in its place: `file:line: sentence`."""
    values = _plain(values)
    return _told(check.wired_problems(values), values, inventories)


def _told(
    found: Iterable[check.Problem], values: Mapping[str, Any], inventories: Iterable[str]
) -> list[str]:
    origins = origin.Origins(inventories)
    return [f"{origins.where(one.path, values)}: {one.text}" for one in found]


def _plain(value: Any) -> Any:
    """Return a value without Ansible's tags, which a strict reader does not know."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
