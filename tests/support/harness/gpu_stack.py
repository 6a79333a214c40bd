"""Starts the gateway before the arbiter before three engines, and a stub that is the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from free_ports import free_ports
from gateway_process import Gateway
from harness.client import Client
from harness.server import TOKEN, Server, run_server
from openai_stub import OpenAIStub
from synapse_deploy.render import gateway_config

SIZES_GIB = {"gpu-chat": 24.0, "gpu-code": 20.0, "gpu-agent": 16.0}
GPU = tuple(SIZES_GIB)
CPU = ("tiny-chat", "long-chat")
CONTEXT = 10_000
"""Tokens that an engine takes, which are words here; the first CPU model takes half of that."""
PLACES = 2
"""Requests that one engine answers at once."""
QUEUE = 40
"""Requests that the arbiter lets wait."""
ENGINES = [
    "--boot-s=0.2", "--first-sleep-s=0.1", "--sleep-s=0.05", "--wake-s=0.2", "--ttft-s=0",
    "--tokens-per-s=200", f"--max-model-len={CONTEXT}",
]  # fmt: skip
LIMITS = {"watch_s": 0.2, "recycle_s": 20, "answer_s": 5, "drain_s": 0.5, "queue": QUEUE}
RULES = {"quantum_s": 1, "deadline_s": 0.5, "residency_s": 0.5}
TIMEOUTS = {"timeout_s": 30, "stream_timeout_s": 20, "keepalive_s": 1}


def _model(name: str, engine: str, *fallbacks: str, **more: Any) -> dict[str, Any]:
    given = {"kind": "chat", "context": CONTEXT, **more}
    return {"name": name, "engine": engine, "fallbacks": list(fallbacks), **given}


CATALOGUE = [
    _model("gpu-chat", "vllm", "tiny-chat"),
    _model("gpu-code", "vllm", "tiny-chat", "long-chat"),
    _model("gpu-agent", "vllm"),
    _model("tiny-chat", "ollama", context=CONTEXT // 2),
    _model("long-chat", "ollama", "tiny-chat", context=CONTEXT * 10),
    _model("minilm", "ollama", kind="embedding"),
]
ALIASES = [{"name": "assistant", "model": "gpu-chat"}, {"name": "embed", "model": "minilm"}]
APPS: list[dict[str, Any]] = [
    {"name": "cortex", "models": ["*"]},
    {"name": "agents", "models": ["*"], "priority": "batch"},
    {"name": "panel", "models": ["*"], "max_wait_s": 0.01},
    {"name": "patient", "models": ["*"], "max_wait_s": 5},
]


@dataclass(frozen=True)
class GpuStack:
    """What a test holds on to."""

    gateway: Gateway
    server: Server
    cpu: OpenAIStub
    client: Client
    http: aiohttp.ClientSession

    async def state(self, model: str) -> Any:
        """Return what an engine says of itself; it wakes nothing."""
        return await self._json("GET", f"{self.server.engine_urls[model]}/simulator/state")

    async def admissions(self, model: str) -> list[str]:
        """Return the ids of the requests that an engine began, in that order."""
        url = f"{self.server.engine_urls[model]}/simulator/requests"
        return list((await self._json("GET", url))["admissions"])

    async def speaking(self, model: str, requests: int) -> bool:
        """Say whether so many answers of an engine are under way, each beyond its first words."""
        url = f"{self.server.engine_urls[model]}/simulator/requests"
        arrivals = (await self._json("GET", url))["arrivals"]
        spoken = [each["completion_tokens"] for each in arrivals if each["ended_s"] is None]
        return len(spoken) == requests and min(spoken) > 20

    async def strike(self, model: str, fault: str, **parameters: float) -> None:
        """Switch a fault of one engine on."""
        url = f"{self.server.engine_urls[model]}/simulator/faults"
        await self._json("POST", url, json={fault: parameters})

    async def order(self, path: str) -> None:
        """Give the arbiter an order of the operator."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        await self._json("POST", f"{self.server.at('operator')}/admin/{path}", headers=headers)

    async def status(self) -> Any:
        """Return the arbiter's view of the GPU."""
        return await self._json("GET", f"{self.server.at('operator')}/status")

    async def heal(self) -> None:
        """Switch every fault off that can be; an engine that is away has none."""
        for url in self.server.engine_urls.values():
            try:
                async with self.http.delete(f"{url}/simulator/faults"):
                    pass
            except aiohttp.ClientError:
                continue

    async def _json(self, method: str, url: str, **more: Any) -> Any:
        async with self.http.request(method, url, **more) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@asynccontextmanager
async def run_gpu_stack(folder: Path) -> AsyncIterator[GpuStack]:
    """Start everything, and end it with the block."""
    arbiter_port, cpu_port, port, metrics_port = free_ports(4)
    engines = {"vllm": arbiter_port, "ollama": cpu_port}
    urls = {engine: {"url": f"http://127.0.0.1:{at}"} for engine, at in engines.items()}
    edge = {"port": port, "metrics_port": metrics_port, "connect_timeout_s": 1, **TIMEOUTS}
    gateway = Gateway(folder, gateway_config.gateway(CATALOGUE, ALIASES, APPS, urls, edge))
    cpu = OpenAIStub(cpu_port)
    settings = {"limits": LIMITS, "rules": RULES}
    each, ports = {"concurrency": PLACES}, {"inference": arbiter_port}
    try:
        async with (
            run_server(folder, SIZES_GIB, ENGINES, ports, settings, each) as server,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            cpu.start()
            await asyncio.to_thread(gateway.start)
            yield GpuStack(gateway, server, cpu, Client(gateway, http), http)
    finally:
        await asyncio.to_thread(gateway.stop)
        cpu.shutdown()
