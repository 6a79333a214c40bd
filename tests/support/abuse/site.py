"""The place where it happens: a real gateway before engines of every kind, all on 127.0.0.1."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from abuse.behaviours import BEHAVIOURS
from abuse.catalogue import BATCH, HARM, LIMITS, MEMORY_MIB, NOWHERE, config
from free_ports import free_ports
from gateway_process import Gateway, until
from synapse_gateway.settings import Settings

START_S = 30.0
STOP_S = 10.0
GUARD_MIB = 6 * MEMORY_MIB
"""Where the kernel refuses the process more, so that a fault does not take this machine along."""


@dataclass
class Site:
    """A running gateway, and what is behind it."""

    gateway: Gateway
    ports: Mapping[str, int]
    """Where each engine listens."""
    settings: Settings
    pids: tuple[int, ...]
    """The gateway, and what else works for a request."""

    def alive(self) -> bool:
        """Say whether the process has not ended."""
        process = self.gateway.process
        return process is not None and process.poll() is None

    def answers(self, limit_s: float = 10.0) -> bool:
        """Say whether it can be asked for its health."""
        try:
            return (
                self.alive()
                and httpx.get(f"{self.gateway.url}/health/live", timeout=limit_s).is_success
            )
        except httpx.TransportError:
            return False

    def seen(self, engine: str) -> dict[str, Any]:
        """Return what an engine has seen."""
        told = httpx.get(f"http://127.0.0.1:{self.ports[engine]}/counts").json()
        return dict(told)

    def in_flight(self) -> float:
        """Return how many requests hold a place, but for those of the others."""
        name = "synapse_gateway_requests_in_flight"
        return sum(self.gateway.metric(name, app=app) for app in (HARM, BATCH))

    def places_back(self, limit_s: float = 15.0) -> None:
        """Wait until no request holds a place any more."""
        until(lambda: self.in_flight() == 0, limit_s, lambda: f"{self.in_flight()} hold places")

    def lines_are_json(self) -> bool:
        """Say whether every line of the log could be read."""
        return self.gateway.reader.is_alive()


class Standing:
    """A gateway that is there for one case after another; one that died is replaced."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        """Start none before it is wanted."""
        self._ports = ports
        self._stack = contextlib.ExitStack()
        self._site: Site | None = None

    def site(self) -> Site:
        """Return one that answers."""
        if self._site is None or not self._site.answers():
            self.close()
            self._site = self._stack.enter_context(running(self._ports))
        return self._site

    def close(self) -> None:
        """End it."""
        self._stack.close()


@contextlib.contextmanager
def engines() -> Iterator[dict[str, int]]:
    """Run every engine; yield their ports."""
    ports = dict(zip(BEHAVIOURS, free_ports(len(BEHAVIOURS)), strict=True))
    told = [f"{name}={port}" for name, port in ports.items()]
    process = subprocess.Popen([sys.executable, "-m", "abuse.engines", *told])

    def listens() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return all(
                httpx.get(f"http://127.0.0.1:{port}/counts").status_code == 200
                for port in ports.values()
            )
        return False

    try:
        until(listens, START_S, lambda: "the engines did not start")
        yield ports
    finally:
        process.terminate()
        process.wait(STOP_S)


@contextlib.contextmanager
def running(
    ports: Mapping[str, int],
    *folders: Path,
    addressed: Mapping[str, str] = NOWHERE,
    pids: tuple[int, ...] = (),
    **more: Any,
) -> Iterator[Site]:
    """Run a gateway before these engines, with further settings."""
    port, metrics_port, inner_port = free_ports(3)
    known = {name: value for name, value in LIMITS.items() if name in Settings.model_fields}
    ports_here = {"port": port, "metrics_port": metrics_port, "inner_port": inner_port}
    settings = known | ports_here | more
    with tempfile.TemporaryDirectory() as folder:
        told = config(ports, settings, addressed)
        gateway = Gateway(Path(folder), told)
        try:
            gateway.start(*folders)
            guard = GUARD_MIB * 1024**2
            resource.prlimit(gateway.pid, resource.RLIMIT_DATA, (guard, guard))
            yield Site(gateway, ports, Settings(**told["settings"]), (gateway.pid, *pids))
        finally:
            _end(gateway)


def _end(gateway: Gateway) -> None:
    """End it also when its loop no longer turns."""
    process = gateway.process
    if process is None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)
