"""K3s' configuration file, as K3s reads it, and what follows from it."""

import os
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from k3s_simulator.keys import KNOWN
from k3s_simulator.told import fatal, warning

FILE = Path(os.environ.get("K3S_CONFIG_FILE") or "/etc/rancher/k3s/config.yaml")
DEFAULT_DATA = "/var/lib/rancher/k3s"


@dataclass(frozen=True)
class Config:
    """The values of the keys, each a list: a key may be said several times."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def one(self, key: str, default: str = "") -> str:
        """Return the value that was said last."""
        return self.values.get(key, [default])[-1]

    def all(self, key: str) -> list[str]:
        """Return every value of a key; those of a list, and those that commas separate."""
        return [part for value in self.values.get(key, []) for part in value.split(",") if part]

    def arguments(self, key: str) -> dict[str, str]:
        """Return the arguments for one of Kubernetes' programs."""
        said = (value.partition("=") for value in self.values.get(key, []))
        return {name.lstrip("-"): value for name, _, value in said}

    def is_on(self, key: str) -> bool:
        """Tell whether a switch is on."""
        return self.one(key).lower() in ("true", "1", "t")

    @property
    def data(self) -> Path:
        """Return the folder of all that is kept."""
        return Path(self.one("data-dir", DEFAULT_DATA))

    @property
    def node_name(self) -> str:
        """Return the node's name."""
        return self.one("node-name", socket.gethostname()).lower()

    @property
    def node_ip(self) -> str:
        """Return the node's address: that of the default route's interface, unless one is said."""
        if said := self.one("node-ip"):
            return said
        routes = subprocess.run(
            ["ip", "-4", "route", "get", "192.0.2.1"], capture_output=True, text=True
        ).stdout.split()
        if "src" not in routes:
            fatal("unable to select an IP from default routes.")
        return routes[routes.index("src") + 1]

    @property
    def port(self) -> int:
        """Return the API's port."""
        return int(self.one("https-listen-port", "6443"))


def read(arguments: list[str]) -> Config:
    """Read the configuration file, its drop-ins and the arguments; the later ones win."""
    files = [FILE] if FILE.is_file() else []
    drop_ins = Path(f"{FILE}.d")
    if drop_ins.is_dir():
        files += sorted(
            path for path in drop_ins.iterdir() if path.suffix.lower() in (".yaml", ".yml")
        )
    values: dict[str, list[str]] = {}
    for file in files:
        try:
            found = yaml.safe_load(file.read_text()) or {}
        except yaml.YAMLError as fault:
            fatal(f"failed to parse {file}: {fault}")
        for name, value in found.items():
            key, append = str(name).rstrip("+"), str(name).endswith("+")
            texts = _texts(value)
            values[key] = values.get(key, []) + texts if append else texts
    for key in sorted(values.keys() - KNOWN):
        warning(f"Unknown flag --{key} found in config.yaml, skipping\n")
        del values[key]
    for argument in arguments:
        key, _, value = argument.lstrip("-").partition("=")
        if key not in KNOWN:
            fatal(f"flag provided but not defined: -{key}")
        values.setdefault(key, []).append(value or "true")
    return Config(values)


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
