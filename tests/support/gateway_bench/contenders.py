"""The three ways to one backend, as processes of their own on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

import litellm_config
from gateway_process import Gateway, litellm_venv, until

BACKEND, CLOSED, ALONE, EDGE, METRICS = range(21080, 21085)
START_TIMEOUT_S = 300
ALONE_KEY = "sk-synapse-bench-0123456789abcdef"


@dataclass(frozen=True)
class Contender:
    """One address that answers chat requests."""

    name: str
    url: str
    key: str
    pid: int
    falls_back: bool = True

    def cpu_ms(self) -> float:
        """Return the processor time the process has used, which other work does not disturb."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) * 1000 / os.sysconf("SC_CLK_TCK")


def _model(name: str, engine: str, *fallbacks: str) -> dict[str, Any]:
    return {"name": name, "engine": engine, "kind": "chat", "fallbacks": list(fallbacks)}


MODELS = [_model("up", "ollama"), _model("down", "vllm", "up")]
UPSTREAMS = {
    "ollama": {"url": f"http://127.0.0.1:{BACKEND}"},
    "vllm": {"url": f"http://127.0.0.1:{CLOSED}"},
}
TIMEOUTS = {"timeout_s": 60, "stream_timeout_s": 60, "keepalive_s": 15}


@contextlib.contextmanager
def running() -> Iterator[list[Contender]]:
    """Start the backend, LiteLLM alone and the gateway; stop them at the end."""
    routes = litellm_config.routes(MODELS, UPSTREAMS, TIMEOUTS)
    settings = {"port": EDGE, "metrics_port": METRICS}
    apps = [{"name": "bench", "models": ["*"]}]
    edge = litellm_config.gateway(MODELS, [], apps, UPSTREAMS, settings)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        gateway = Gateway(Path(folder), edge, routes)
        backend = _start(stack, [sys.executable, "-m", "openai_stub", str(BACKEND)], {})
        alone = _start(stack, _litellm(Path(folder)), {"LITELLM_MASTER_KEY": ALONE_KEY})
        stack.callback(gateway.stop)
        gateway.start()
        _wait_for(f"http://127.0.0.1:{ALONE}/health/liveliness")
        yield [
            Contender("backend", f"http://127.0.0.1:{BACKEND}", "none", backend, falls_back=False),
            Contender("LiteLLM alone", f"http://127.0.0.1:{ALONE}", ALONE_KEY, alone),
            Contender("gateway", f"http://127.0.0.1:{EDGE}", "sk-synapse-bench", gateway.pid),
        ]


def _litellm(folder: Path) -> list[str]:
    program = str(litellm_venv.python().parent / "litellm")
    config = str(folder / "litellm.yaml")
    return [program, "--config", config, "--host", "127.0.0.1", "--port", str(ALONE)]


def _start(stack: contextlib.ExitStack, command: list[str], extra: dict[str, str]) -> int:
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **quiet, **extra}
    if "openai_stub" not in command:
        environment.pop("PYTHONPATH")
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
