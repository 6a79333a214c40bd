"""The files that clients read, from plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml


def env(values: Mapping[str, str]) -> str:
    """Return an env file as Docker, Compose, systemd and dotenv read it: values as they are."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def as_json(value: Any) -> str:
    """Return JSON for people."""
    return json.dumps(value, indent=2) + "\n"


def as_yaml(value: Any) -> str:
    """Return YAML for people."""
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000))


def quoted(text: str) -> str:
    """Return a text as TOML and Python write it."""
    return json.dumps(text)
