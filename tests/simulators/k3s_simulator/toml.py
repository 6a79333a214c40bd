"""Writes TOML: tables of texts, numbers, switches and lists, which is what containerd reads."""

import json
from typing import Any


def dump(tables: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """Return the text of nested tables."""
    plain = {key: value for key, value in tables.items() if not isinstance(value, dict)}
    lines = [f"{_key(key)} = {json.dumps(value)}" for key, value in plain.items()]
    if path and (lines or not tables):
        lines.insert(0, f"[{'.'.join(map(_key, path))}]")
    text = "".join(f"{line}\n" for line in lines) + ("\n" if lines else "")
    inner = {key: value for key, value in tables.items() if isinstance(value, dict)}
    return text + "".join(dump(value, (*path, key)) for key, value in inner.items())


def merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return both; where both say something that is no table, the second wins."""
    both = dict(under)
    for key, value in over.items():
        old = both.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = merge(old, value)
        both[key] = value
    return both


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)
