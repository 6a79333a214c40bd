"""What the module `host_facts` found on a server, as facts; its shape is not believed."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from synapse_host.facts import HostFacts, K3s


class FactsError(Exception):
    """What came from the server is not what the module sends; the text names each odd value."""


def read(raw: Mapping[str, Any]) -> HostFacts:
    """Return the facts that the module sent. Raises FactsError naming all that is odd."""
    faults: list[str] = []
    k3s = raw.get("k3s")
    files = k3s.get("config_files", []) if isinstance(k3s, Mapping) else []
    if isinstance(k3s, Mapping):
        raw = {**raw, "k3s": {name: k3s[name] for name in k3s if name != "config_files"}}
    facts: HostFacts = _made(raw, HostFacts, "", faults)
    if faults:
        told = "; ".join(faults)
        raise FactsError(f"The server's facts are not what the module host_facts sends: {told}.")
    return replace(facts, k3s=_configured(facts.k3s, files))


def _configured(k3s: K3s, files: list[Mapping[str, str]]) -> K3s:
    """Merge config.yaml and config.yaml.d as K3s does: a later file wins, `key+` adds to a list."""
    config: dict[str, Any] = dict(k3s.config)
    told: list[str] = list(k3s.config_faults)
    for file in files:
        try:
            values = yaml.safe_load(str(file["text"])) or {}
        except yaml.YAMLError as fault:
            mark = getattr(fault, "problem_mark", None)
            where = f":{mark.line + 1}" if mark else ""
            told.append(f"{file['path']}{where} is no YAML, so K3s cannot start with it.")
            continue
        if not isinstance(values, dict):
            told.append(f"{file['path']} is no mapping of options, so K3s cannot start with it.")
            continue
        for name, value in values.items():
            if str(name).endswith("+"):
                name = str(name)[:-1]
                before = config.get(name, [])
                value = [*_listed(before), *_listed(value)]
            config[str(name)] = value
    return replace(k3s, config=config, config_faults=tuple(told))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _made(raw: Any, wanted: Any, place: str, faults: list[str]) -> Any:
    """Return `raw` as the type that is wanted; what does not fit is told in `faults`."""
    origin, among = get_origin(wanted), get_args(wanted)
    if is_dataclass(wanted):
        return _made_dataclass(raw, wanted, place, faults)
    if origin is Literal:
        if raw in among:
            return among[among.index(raw)]
    elif origin is tuple:
        if isinstance(raw, list | tuple):
            items = enumerate(raw)
            return tuple(_made(one, among[0], f"{place}[{n}]", faults) for n, one in items)
    elif origin in (types.UnionType, Union):
        if raw is None:
            return None
        return _made(raw, next(one for one in among if one is not type(None)), place, faults)
    elif origin is Mapping:
        if isinstance(raw, Mapping):
            return {
                str(name): _made(raw[name], among[1], f"{place}.{name}", faults) for name in raw
            }
    elif wanted is Any:
        return raw
    elif _is(raw, wanted):
        return wanted(raw)  # without what Ansible attaches to its values
    faults.append(f"{place} is {raw!r}")
    return raw


def _is(raw: Any, wanted: Any) -> bool:
    if isinstance(raw, bool) or wanted is bool:
        return isinstance(raw, bool) and wanted is bool
    return isinstance(raw, wanted) or (wanted is float and isinstance(raw, int))


def _made_dataclass(raw: Any, wanted: Any, place: str, faults: list[str]) -> Any:
    if not isinstance(raw, Mapping):
        faults.append(f"{place or 'all of it'} is {raw!r}")
        return raw
    hints = get_type_hints(wanted)
    prefix = f"{place}." if place else ""
    before = len(faults)
    faults += [f"{prefix}{name} is unknown" for name in raw if name not in hints]
    values = {
        field.name: _made(raw[field.name], hints[field.name], prefix + field.name, faults)
        for field in fields(wanted)
        if field.name in raw
    }
    try:
        return wanted(**values)
    except TypeError as fault:
        if len(faults) == before:
            faults.append(f"{place or 'all of it'}: {fault}")
        return raw
