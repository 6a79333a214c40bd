"""The server of a site: what `make init HOST=...` understands, and the hosts.yml that it writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from synapse_host.found import NAMES

HOSTS = "hosts.yml"
HERE = ("localhost", "127.0.0.1", "::1")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# An address of the sixth version in brackets, or anything without a colon; then the port.
WRITTEN = re.compile(
    r"(?:(?P<user>[^@]*)@)?(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:\[\]@]*))(?::(?P<port>.*))?"
)


class HostError(Exception):
    """What was said of the server is none; the text has a line for each fault."""


@dataclass(frozen=True)
class Host:
    """How the server is reached: by ssh, or not at all because it is this machine."""

    address: str
    user: str = ""
    port: int = 22

    @property
    def is_here(self) -> bool:
        """Tell whether it is the machine that runs Ansible."""
        return self.address in HERE

    @property
    def variables(self) -> dict[str, Any]:
        """Return the variables of the host in hosts.yml."""
        if self.is_here:
            python = "{{ ansible_playbook_python }}"  # the first python3 may be a user's own
            return {"ansible_connection": "local", "ansible_python_interpreter": python}
        found: dict[str, Any] = {"ansible_host": self.address}
        if self.user:
            found["ansible_user"] = self.user
        if self.port != 22:
            found["ansible_port"] = self.port
        return found


def parsed(text: str) -> Host:
    """Return the host that `me@server:2222` names. Raises HostError naming all faults."""
    found = WRITTEN.fullmatch(text)
    if _is_address(text):
        return Host(text)  # one of the sixth version without brackets has no port
    if not found:
        raise HostError(f"HOST={text}: is no server; write it as me@192.168.1.10 or me@forge:2222.")
    user, port = found["user"], found["port"]
    address = found["v6"] if found["v6"] is not None else found["host"]
    faults = []
    if user is not None and not USER.fullmatch(user):
        faults.append(f'HOST={text}: "{user}" is no name of a user.')
    if not (_is_address(address) if found["v6"] is not None else _is_name(address)):
        faults.append(f'HOST={text}: "{address}" is no name and no address of a server.')
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        faults.append(f'HOST={text}: "{port}" is no port; write a number such as 2222.')
    if not faults and address in HERE and (user or port):
        faults.append(f"HOST={text}: this machine is reached without ssh; write HOST=localhost.")
    if faults:
        raise HostError("\n".join(faults))
    return Host(address, user or "", int(port or 22))


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    """Tell whether it can be a name; one that is all numbers and dots is a mistyped address."""
    only_numbers = bool(re.fullmatch(r"[\d.]+", text))
    return _is_address(text) or (bool(NAME.fullmatch(text)) and not only_numbers)


def hosts_text(site: str, host: Host, before: str) -> str:
    """Return hosts.yml with this server, and with all that it said before but later comments."""
    inventory = yaml.safe_load(before) or {}
    place = inventory
    for name in ("all", "children", "server"):
        place[name] = place.get(name) or {}
        place = place[name]
    place["hosts"] = {site: host.variables}
    return f"{comment_of(before)}{yaml.safe_dump(inventory, sort_keys=False)}"


def comment_of(text: str) -> str:
    """Return the lines that a file begins with, up to the first that is no comment."""
    lines = text.splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if line[0] not in "#-\n"), len(lines))
    return "".join(lines[:end])


def servers_of(file: Path) -> Mapping[str, Any]:
    """Return the hosts of the group `server` that a hosts.yml names."""
    try:
        inventory = yaml.safe_load(file.read_text()) if file.exists() else None
        group = (((inventory or {}).get("all") or {}).get("children") or {}).get("server")
        return dict((group or {}).get("hosts") or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as fault:
        raise HostError(f"{file}: is no inventory that can be read: {fault}") from fault


def without_found(text: str) -> str:
    """Return a platform.yml without what `make find` finds, and without the comments above it."""
    kept: list[str] = []
    dropping = False
    for line in text.splitlines(keepends=True):
        if line[:1] not in (" ", "-", "\n") or line.startswith("---"):
            dropping = line.partition(":")[0] in NAMES
            while dropping and kept and kept[-1].startswith("# ") and "End of keys" not in kept[-1]:
                kept.pop()
        if not dropping:
            kept.append(line)
    return re.sub(r"\n{3,}", "\n\n", "".join(kept))
