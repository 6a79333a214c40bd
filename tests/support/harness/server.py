"""The processes of one server: engines that boot under leases, and the arbiter before them."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from free_ports import free_ports
from harness.process import Process
from synapse_common.engines import STOPS_AT_MOST

BOOT_LEASE = Path(__file__).parents[3] / "files/boot_scripts/boot_lease.py"
TOKEN = "open sesame"
AUDIENCES = ("inference", "boot", "metrics", "operator")
GPU_GIB = 32
UNTIL_S = 60.0
ENVIRONMENT = {"VLLM_SERVER_DEV_MODE": "1", "VLLM_MAX_STOP_STRINGS": str(STOPS_AT_MOST)}
"""What the role vllm sets and the simulator reads."""


@dataclass(frozen=True)
class Server:
    """What a test or a spectator holds on to."""

    ports: Mapping[str, int]
    engine_urls: Mapping[str, str]
    arbiter: Process
    engines: Mapping[str, Process]

    @property
    def url(self) -> str:
        """Where requests for models go."""
        return self.at("inference")

    def at(self, audience: str) -> str:
        """Where one of the arbiter's audiences asks."""
        return f"http://127.0.0.1:{self.ports[audience]}"

    async def states(self) -> dict[str, str]:
        """Ask the arbiter for the state of every model; empty while it is away."""
        try:
            async with aiohttp.request("GET", f"{self.url}/v1/models") as response:
                return {model["id"]: model["state"] for model in (await response.json())["data"]}
        except aiohttp.ClientError:
            return {}

    async def all_usable(self) -> bool:
        """Say whether every model could serve now."""
        states = await self.states()
        return states.keys() == self.engines.keys() and set(states.values()) <= {"asleep", "awake"}


@dataclass(frozen=True)
class Vllm:
    """What runs as engines."""

    command: Callable[[str, float, int, Path], list[str]]
    """Builds a server's command from model, size, port and the test's folder."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))
    without_lease: tuple[str, ...] = ()
    """Those that start without asking, as an operator may do it."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Those that are no chat models."""

    def more(self, name: str) -> dict[str, str]:
        """Return what the arbiter's configuration says of one of them alone."""
        return {"kind": self.kinds[name]} if name in self.kinds else {}


async def until(server: Server, condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until the condition holds, or fail showing what the processes wrote."""
    try:
        async with asyncio.timeout(UNTIL_S):
            while not await condition():  # noqa: ASYNC110  (of other processes)
                await asyncio.sleep(0.02)
    except TimeoutError:
        logs = {process.name: process.output[-3000:] for process in server.engines.values()}
        logs["arbiter"] = server.arbiter.output[-6000:]
        told = "\n".join(f"--- {name}\n{log}" for name, log in logs.items())
        raise AssertionError(f"waited {UNTIL_S:g} s for {what}\n{told}") from None


@asynccontextmanager
async def run_server(
    folder: Path,
    sizes_gib: Mapping[str, float],
    engine_options: list[str],
    ports: Mapping[str, int] | None = None,
    settings: Mapping[str, Any] | None = None,
    each: Mapping[str, Any] | None = None,
    vllm: Vllm | None = None,
) -> AsyncIterator[Server]:
    """Start everything at once, as after a reboot, and end it all with the block.

    `ports` fixes some of the arbiter's; `settings` is its configuration beyond what is known
    here, `each` every model's in it. `vllm` is what runs as engines, the simulator unless said.
    """
    vllm = vllm or Vllm(_simulator)
    ours = dict(zip(AUDIENCES, free_ports(len(AUDIENCES)), strict=True)) | dict(ports or {})
    lease = _lease(folder, f"http://127.0.0.1:{ours['boot']}")
    theirs = dict(zip(sizes_gib, free_ports(len(sizes_gib)), strict=True))
    urls = {name: f"http://127.0.0.1:{theirs[name]}" for name in sizes_gib}

    def engine(name: str, gib: float) -> Process:
        command = [*vllm.command(name, gib, theirs[name], folder), *engine_options]
        if name not in vllm.without_lease:
            command = [*lease, "--model", name, "--port", str(theirs[name]), "--", *command]
        return Process(name, command, folder / f"{name}.log", vllm.environment)

    engines = {name: engine(name, gib) for name, gib in sizes_gib.items()}
    (gauge_port,) = free_ports(1)
    gauge = Process("gauge", _gauge(folder, gauge_port), folder / "gauge.log", {})
    vram = f"http://127.0.0.1:{gauge_port}/vram"
    models = [
        {"name": name, "url": urls[name], "vram_gib": gib, **(each or {}), **vllm.more(name)}
        for name, gib in sizes_gib.items()
    ]
    _configure(folder, ours, models, vram, settings or {})
    command = [sys.executable, "-m", "synapse_arbiter", "--config", str(folder / "arbiter.json")]
    arbiter = Process("arbiter", command, folder / "arbiter.log", {})
    processes = [gauge, *engines.values(), arbiter]
    try:
        for process in processes:
            process.start()
        yield Server(ours, urls, arbiter, engines)
    finally:
        await asyncio.gather(*(process.stop() for process in processes))


def _lease(folder: Path, arbiter: str) -> list[str]:
    """Build what runs first in an engine's container; the model and its server are to follow."""
    secret = f"--secret-file={folder}/boot-secret"
    return [sys.executable, str(BOOT_LEASE), "--arbiter", arbiter, secret]


def _simulator(name: str, gib: float, port: int, folder: Path) -> list[str]:
    """Build a simulated server."""
    engine = [sys.executable, "-m", "vllm_simulator", "--model", name, "--port", str(port)]
    return [*engine, f"--gpu={folder}/gpu", f"--gpu-gib={GPU_GIB}", f"--vram-gib={gib}"]


def _gauge(folder: Path, port: int) -> list[str]:
    """Build what stands for the driver: it makes the GPU and reads it."""
    gpu = [f"--gpu={folder}/gpu", f"--size-gib={GPU_GIB}"]
    return [sys.executable, "-m", "vllm_simulator.gpu", *gpu, f"--serve={port}"]


def _configure(
    folder: Path,
    ports: Mapping[str, int],
    models: list[dict[str, Any]],
    vram: str,
    settings: Mapping[str, Any],
) -> None:
    (folder / "token").write_text(TOKEN)
    (folder / "boot-secret").write_text(secrets.token_hex())
    gpu = {"vram_gib": GPU_GIB, "vram_source": vram}
    # What replaces an engine here: whoever keeps it running starts it again.
    kill = [sys.executable, "-m", "kill_session", f"{folder}/{{model}}.pid"]
    config = {
        "ports": ports,
        "admin_token_file": str(folder / "token"),
        "boot_secret_file": str(folder / "boot-secret"),
        "models": models,
        "gpu": gpu,
        "recycle": {"how": "command", "command": kill},
        **settings,
    }
    (folder / "arbiter.json").write_text(json.dumps(config))
