"""The ways to one engine, and to one engine of the GPU, as processes on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from arbiter_bench.server import site
from gateway_process import Gateway, litellm_venv, until
from synapse_deploy.render import gateway_config

CPU_ENGINE, CLOSED, ALONE, EDGE, METRICS = range(21080, 21085)
START_TIMEOUT_S = 300
ALONE_KEY = "sk-synapse-bench-0123456789abcdef"


@dataclass(frozen=True)
class Contender:
    """One address that answers chat requests."""

    name: str
    url: str
    key: str = "none"
    pid: int | None = None
    model: str = "up"
    failing: str | None = None
    """A model that cannot answer, so that `up` does."""

    def cpu_ms(self) -> float | None:
        """Return the processor time the process has used, which other work does not disturb."""
        if self.pid is None:
            return None
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) * 1000 / os.sysconf("SC_CLK_TCK")


def _model(name: str, engine: str, *fallbacks: str) -> dict[str, Any]:
    return {"name": name, "engine": engine, "kind": "chat", "fallbacks": list(fallbacks)}


EARS = "ears"
CLOSED_URL = {"source": "down", "base_url": f"http://127.0.0.1:{CLOSED}/v1"}
MODELS = [
    _model("up", "ollama"),
    _model("down", "openai", "up") | CLOSED_URL,
    _model("awake", "vllm"),
    _model("asleep", "vllm", "up"),
    _model(EARS, "speaches") | {"kind": "transcription", "source": EARS},
]
TIMEOUTS = {"timeout_s": 60, "stream_timeout_s": 60, "keepalive_s": 15}
# Nobody of this application waits: the arbiter refuses what a sleeping model would have to answer.
APPS = [{"name": "bench", "models": ["*"], "max_wait_s": 0}]
ENGINE = {"sleep_s": 0.1, "wake_s": 0.5, "ttft_s": 0, "tokens_per_s": 0, "answer_tokens": 4}


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[list[Contender]]:
    """Start the engine, the GPU, LiteLLM alone and the gateway; stop them at the end."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gpu = await stack.enter_async_context(site(folder, "awake", "asleep", engine=ENGINE))
        assert (await gpu.ask("awake"))[0] == 200
        engine = gpu.engines["awake"]
        gateway = _gateway(folder, gpu.url)
        cpu = _start(stack, [sys.executable, "-m", "openai_stub", str(CPU_ENGINE)], {})
        alone = _start(stack, _litellm(folder, engine), {"LITELLM_MASTER_KEY": ALONE_KEY})
        stack.callback(gateway.stop)
        gateway.start()
        _wait_for(f"http://127.0.0.1:{ALONE}/health/liveliness")
        litellm = partial(Contender, url=f"http://127.0.0.1:{ALONE}", key=ALONE_KEY, pid=alone)
        ours = partial(Contender, url=gateway.url, key="sk-synapse-bench", pid=gateway.pid)
        yield [
            Contender("engine on the CPU", f"http://127.0.0.1:{CPU_ENGINE}", pid=cpu),
            litellm("LiteLLM alone", failing="down"),
            ours("gateway", failing="down"),
            Contender("engine on the GPU", engine, model="awake"),
            Contender("arbiter, engine", gpu.url, pid=gpu.arbiter_pid, model="awake"),
            litellm("LiteLLM alone, engine", model="awake"),
            ours("gateway, arbiter, engine", model="awake", failing="asleep"),
        ]


def _engines(gpu: str) -> dict[str, dict[str, str]]:
    cpu = {"url": f"http://127.0.0.1:{CPU_ENGINE}"}
    return {"ollama": cpu, "speaches": cpu, "vllm": {"url": gpu}}


def _gateway(folder: Path, arbiter: str) -> Gateway:
    settings = {"port": EDGE, "metrics_port": METRICS}
    engines = _engines(arbiter)
    edge = gateway_config.gateway(MODELS, [], APPS, engines, settings)
    return Gateway(folder, edge, gateway_config.routes(MODELS, engines, TIMEOUTS))


def _litellm(folder: Path, engine: str) -> list[str]:
    program = str(litellm_venv.python().parent / "litellm")
    config = folder / "alone.yaml"
    config.write_text(yaml.safe_dump(gateway_config.routes(MODELS, _engines(engine), TIMEOUTS)))
    return [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(ALONE)]


def _start(stack: contextlib.AsyncExitStack, command: list[str], extra: dict[str, str]) -> int:
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    environment = {**os.environ, **quiet, **extra}
    process = subprocess.Popen(
        command,
        env={**environment, "LITELLM_LOG": "ERROR"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process.pid


def _wait_for(url: str) -> None:
    def ready() -> bool:
        try:
            return httpx.get(url).status_code == 200
        except httpx.TransportError:
            return False

    until(ready, START_TIMEOUT_S, lambda: f"nothing answered at {url}")
