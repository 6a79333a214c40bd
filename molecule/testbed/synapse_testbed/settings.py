"""What a user may choose about a testbed, read from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synapse_testbed.commands import TestbedError

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Settings:
    """One testbed: its name, its two ports on 127.0.0.1 and where its files lie on the host."""

    name: str
    gateway_port: int
    api_port: int
    cache: Path
    kubeconfig: Path

    @property
    def volume(self) -> str:
        """Name of the volume that holds everything the server writes."""
        return f"{self.name}-data"


def from_environment(env: Mapping[str, str]) -> Settings:
    """Read the settings; raise TestbedError with every fault at once."""
    faults: list[str] = []
    name = env.get("SYNAPSE_TESTBED") or "forge"
    if not NAME.fullmatch(name):
        faults.append(
            f"SYNAPSE_TESTBED={name!r} is no name: use up to 40 of a-z, 0-9 and -, "
            "beginning and ending with a letter or digit"
        )
    gateway_port = _port(env, "SYNAPSE_PORT", 8000, faults)
    api_port = _port(env, "SYNAPSE_API_PORT", 6443, faults)
    if gateway_port == api_port:
        faults.append(f"SYNAPSE_PORT and SYNAPSE_API_PORT are both {api_port}: they must differ")
    if faults:
        raise TestbedError("\n".join(faults))
    home = Path(env.get("HOME") or Path.home())
    cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "synapse" / "testbed"
    return Settings(name, gateway_port, api_port, cache, home / ".kube" / f"synapse-{name}.yaml")


def _port(env: Mapping[str, str], variable: str, default: int, faults: list[str]) -> int:
    text = env.get(variable) or str(default)
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    faults.append(f"{variable}={text!r} is no port: use a number from 1 to 65535")
    return default
