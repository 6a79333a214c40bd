"""Three real vLLM servers, two of which boot under leases, behind the real arbiter and gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from free_ports import free_ports
from gateway_process import Gateway
from harness.client import Client
from harness.server import Server, Vllm, run_server
from real_vllm.installation import Installation
from synapse_deploy.render import gateway_config

SIZES_GIB = {"one": 8.0, "two": 8.0, "embedder": 4.0}
CHAT = ("one", "two")
CONTEXT = 16384
# Ten seconds and more of work, so that whoever looks for a running answer finds it, however busy
# the machine is.
LONG = 16000
BOOT_S = 900.0  # of three servers on two cores, each of which takes two minutes of one
ENGINE = [
    "--kv-cache-memory-bytes=268435456", "--gpu-memory-utilization=0.2", "--max-num-seqs=4",
    "--enforce-eager", "--shutdown-timeout=20",
]  # fmt: skip
PARSERS = [
    "--reasoning-parser=qwen3", "--enable-auto-tool-choice", "--tool-call-parser=qwen3_coder",
]  # fmt: skip
# A processor's memory is not freed by a sleep, so nobody looks at it.
GPU = {"vram_gib": 32, "vram_source": "none"}
LIMITS = {"boot_s": BOOT_S, "canary_s": 120, "watch_s": 1, "hang_s": 90}
RULES = {"quantum_s": 4, "deadline_s": 2, "residency_s": 2}
MODELS = [
    {"name": name, "engine": "vllm", "kind": "chat", "context": CONTEXT, "fallbacks": []}
    for name in CHAT
] + [
    {"name": "embedder", "engine": "vllm", "kind": "embedding", "context": CONTEXT, "fallbacks": []}
]
APPS: list[dict[str, Any]] = [{"name": "cortex", "models": ["*"]}]


@dataclass(frozen=True)
class Stack:
    """What a case holds on to."""

    server: Server
    gateway: Gateway
    client: Client
    http: aiohttp.ClientSession

    async def until(self, so: Callable[[], Awaitable[bool]], what: str, limit_s: float) -> None:
        """Wait until something is so; AssertionError says what was waited for."""
        try:
            async with asyncio.timeout(limit_s):
                while not await so():  # noqa: ASYNC110  (of other processes)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            states = await self.server.states()
            raise AssertionError(f"waited {limit_s:g} s for {what}; engines: {states}") from None

    async def ask(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Ask the arbiter; return the status and all of the answer."""
        async with self.http.post(f"{self.server.url}{path}", json=body) as answer:
            return answer.status, await answer.text()

    async def use(self, model: str, limit_s: float) -> None:
        """Have a chat model answer within the limit, whatever happens until then."""

        async def answers() -> bool:
            with suppress(aiohttp.ClientError):
                body = {"model": model, "prompt": "Hello", "max_tokens": 1}
                status, _ = await self.ask("/v1/completions", body)
                return status == 200
            return False

        await self.until(answers, f"an answer of {model}", limit_s)

    async def settled(self) -> bool:
        """Say whether every engine is usable and the arbiter does nothing to any."""
        async with self.http.get(f"{self.server.at('operator')}/status") as answer:
            idle = (await answer.json())["gpu"]["activity"] is None
        return idle and await self.server.all_usable()

    async def state(self, model: str) -> str:
        """Return the arbiter's word for an engine's state."""
        return (await self.server.states()).get(model, "unknown")

    async def metric(self, model: str, name: str) -> float:
        """Add up one metric of an engine over its labels."""
        async with self.http.get(f"{self.server.engine_urls[model]}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    async def running(self, model: str) -> float:
        """Return how many requests an engine runs."""
        return await self.metric(model, "vllm:num_requests_running")


@asynccontextmanager
async def run_stack(installation: Installation, model: Path, folder: Path) -> AsyncIterator[Stack]:
    """Start everything and wait until every engine was taken in; end it with the block."""

    def engine(name: str, _gib: float, port: int, _folder: Path) -> list[str]:
        command = [str(installation.python), "-m", "vllm.entrypoints.cli.main", "serve"]
        command += [str(model), "--served-model-name", name, "--port", str(port)]
        command += [*ENGINE, f"--max-model-len={CONTEXT}"]
        return [*command, *(["--runner=pooling"] if name == "embedder" else PARSERS)]

    arbiter_port, port, metrics_port = free_ports(3)
    urls = {"vllm": {"url": f"http://127.0.0.1:{arbiter_port}"}}
    edge = {"port": port, "metrics_port": metrics_port, "connect_timeout_s": 5}
    edge |= {"timeout_s": 300, "stream_timeout_s": 120, "keepalive_s": 5}
    gateway = Gateway(folder, gateway_config.gateway(MODELS, [], APPS, urls, edge))
    running = run_server(
        folder,
        SIZES_GIB,
        [],
        {"inference": arbiter_port},
        {"gpu": GPU, "limits": LIMITS, "rules": RULES},
        {"concurrency": 4, "max_wait_s": 120},
        Vllm(
            engine,
            installation.environment(folder / "cache"),
            without_lease=("embedder",),
            kinds={"embedder": "embedding"},
        ),
    )
    async with running as server, aiohttp.ClientSession() as http:
        stack = Stack(server, gateway, Client(gateway, http), http)
        try:
            await stack.until(server.all_usable, "all engines to be taken in", BOOT_S)
            await asyncio.to_thread(gateway.start)
            yield stack
        finally:
            await asyncio.to_thread(gateway.stop)
