"""One gateway before simulated engines for all tests, and a process for each sort of client."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import client_workers
from client_workers import Worker
from free_ports import free_ports
from gateway_process import Gateway, started
from harness.server import GPU_GIB, Server, Vllm, run_server, until
from in_background import in_background
from litellm_process import KEY, LiteLLM
from openai_stub import Behaviour, OpenAIStub
from synapse_deploy.render import gateway_config, litellm_config

CONTEXT = 100_000
SIZES_GIB = {"gpu-chat": 8.0, "gpu-embed": 4.0, "gpu-rank": 4.0}
KINDS = {"gpu-embed": "embedding", "gpu-rank": "rerank"}
RUNNERS = {"chat": "generate", "embedding": "embed", "rerank": "score"}
QUICK = [
    "--boot-s=0", "--first-sleep-s=0", "--sleep-s=0", "--wake-s=0", "--ttft-s=0",
    "--tokens-per-s=0", f"--max-model-len={CONTEXT}",
]  # fmt: skip
ARBITER_PORT, CPU_PORT, PORT, METRICS_PORT, DEFAULT_PORT, DEFAULT_METRICS_PORT = free_ports(6)
INNER_PORT, LITELLM_PORT = free_ports(2)
ENGINES = {
    "vllm": {"url": f"http://127.0.0.1:{ARBITER_PORT}"},
    "ollama": {"url": f"http://127.0.0.1:{CPU_PORT}"},
    "piper": {"url": f"http://127.0.0.1:{CPU_PORT}"},
}
WORDS = 24
"""What every simulated answer of the GPU has."""
SAID_BY_CPU = "Hello from the stub"
PAGE = "https://page.example"
"""Where a web page comes from that may ask."""


def model(name: str, engine: str, *fallbacks: str, **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    given = {"kind": "chat", "context": CONTEXT, "fallbacks": list(fallbacks), **more}
    return {"name": name, "engine": engine, **given}


# What reaches `gpu-bare`, the stand-in of Ollama remembers.
CATALOGUE = [
    model("gpu-chat", "vllm", "cpu-chat", capabilities=["tools", "json"]),
    model("gpu-embed", "vllm", kind="embedding"),
    model("gpu-rank", "vllm", kind="rerank"),
    model("cpu-chat", "ollama", context=4096, capabilities=["tools", "json"]),
    model("cpu-alone", "ollama"),
    model("cpu-sees", "ollama", capabilities=["vision"]),
    model("cpu-embed", "ollama", kind="embedding"),
    model("gpu-bare", "vllm", "cpu-chat"),
    model(
        "piper", "piper", kind="speech", source="en_US-hum-low", voices={"alloy": "en_US-hum-low"}
    ),
]
SYSTEM = "Be brief."
ADDED = {"temperature": 0.2, "system": SYSTEM, "effort": "low", "max_output_tokens": 99}
ALIASES: list[dict[str, Any]] = [
    {"name": "assistant", "model": "gpu-chat"},
    *(
        {"name": f"{name}-{place}", "model": model, section: ADDED}
        for name, section in (("gentle", "parameters"), ("strict", "fixed"))
        for place, model in (("gpu", "gpu-bare"), ("cpu", "cpu-alone"))
    ),
    {"name": "short", "model": "gpu-chat", "fixed": {"max_output_tokens": 3}},
    {"name": "wordy", "model": "gpu-chat", "parameters": {"system": "Say it in a few words."}},
]
APPS: list[dict[str, Any]] = [
    {"name": "free", "models": ["*"]},
    {"name": "narrow", "models": ["cpu-alone"]},
    {"name": "counted", "models": ["*"], "requests_per_minute": 1},
    {"name": "guest", "models": ["*"], "key_until": "2026-01-31"},
    {"name": "held", "models": ["strict-gpu"]},
    {"name": "named", "models": ["assistant", "cpu-alone", "gpu-embed"]},
    {"name": "menu", "models": ["assistant", "cpu-alone", "gpu-embed"], "lists": ["assistant"]},
    {"name": "curious", "models": ["assistant"], "lists": ["*"]},
]


def _engine(name: str, gib: float, port: int, folder: Path) -> list[str]:
    kind = RUNNERS[KINDS.get(name, "chat")]
    command = [sys.executable, "-m", "vllm_simulator", "--model", name, "--port", str(port)]
    gpu = [f"--gpu={folder}/gpu", f"--gpu-gib={GPU_GIB}", f"--vram-gib={gib}"]
    return [*command, *gpu, f"--kind={kind}"]


@asynccontextmanager
async def _usable(folder: Path) -> AsyncIterator[Server]:
    rules = {"rules": {"quantum_s": 0.2, "deadline_s": 0.1, "residency_s": 0.1}}
    vllm = Vllm(_engine, kinds=KINDS)
    ports = {"inference": ARBITER_PORT}
    async with run_server(folder, SIZES_GIB, QUICK, ports, rules, vllm=vllm) as server:
        await until(server, server.all_usable, "all models to be usable")
        yield server


@pytest.fixture(scope="session")
def _gpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with in_background(_usable(tmp_path_factory.mktemp("gpu"))) as server:
        yield server


@pytest.fixture(scope="session")
def _stub() -> Iterator[OpenAIStub]:
    stub = OpenAIStub(CPU_PORT)
    stub.start()
    yield stub
    stub.shutdown()


@pytest.fixture
def cpu(_stub: OpenAIStub) -> OpenAIStub:
    """Ollama's stand-in, healthy and with nothing received yet."""
    _stub.reset()
    return _stub


@pytest.fixture(scope="session")
def _litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    timeouts = {"timeout_s": 30, "stream_timeout_s": 30, "connect_timeout_s": 2}
    config = litellm_config.config(CATALOGUE, ALIASES, ENGINES, timeouts)
    for route in config["model_list"]:
        if route["litellm_params"]["api_base"].startswith(ENGINES["ollama"]["url"]):
            inner = {"api_base": f"http://127.0.0.1:{INNER_PORT}/v1", "api_key": KEY}
            inner |= {"use_chat_completions_api": True}  # type: ignore[dict-item]
            route["litellm_params"] |= inner
    running = LiteLLM(tmp_path_factory.mktemp("litellm"), config, LITELLM_PORT)
    with started(running):
        yield running


@pytest.fixture(scope="session")
def gateway(
    _gpu: Server, _stub: OpenAIStub, _litellm: LiteLLM, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The real gateway, which one web page may ask."""
    ports = {"port": PORT, "metrics_port": METRICS_PORT, "inner_port": INNER_PORT}
    yield from _gateway(tmp_path_factory, ports | {"cors_origins": [PAGE], "json_body_mib": 2})


@pytest.fixture(scope="session")
def default_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same with default settings."""
    ports = {"port": DEFAULT_PORT, "metrics_port": DEFAULT_METRICS_PORT}
    yield from _gateway(tmp_path_factory, ports)


def _gateway(factory: pytest.TempPathFactory, settings: dict[str, Any]) -> Iterator[Gateway]:
    config = gateway_config.gateway(CATALOGUE, ALIASES, APPS, ENGINES, settings)
    (bare,) = [each for each in config["models"] if each["name"] == "gpu-bare"]
    bare |= {"url": f"{ENGINES['ollama']['url']}/v1", "via_arbiter": False}
    translator = {"url": f"http://127.0.0.1:{LITELLM_PORT}/v1", "key_variable": "LITELLM_KEY"}
    running = Gateway(factory.mktemp("gateway"), {**config, "translator": translator})
    with started(running, LITELLM_KEY=KEY):
        yield running


@pytest.fixture(scope="session")
def told(gateway: Gateway) -> dict[str, str]:
    """What clients are told of the gateway."""
    return {"GATEWAY_URL": gateway.url, "GATEWAY_KEY": "sk-synapse-free"}


@pytest.fixture(scope="session")
def python(told: dict[str, str]) -> Iterator[Worker]:
    """The Python clients."""
    yield from _stopped(client_workers.python(told))


@pytest.fixture(scope="session")
def litellm(told: dict[str, str]) -> Iterator[Worker]:
    """LiteLLM's client."""
    yield from _stopped(client_workers.litellm(told))


@pytest.fixture(scope="session")
def javascript(told: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """The JavaScript clients."""
    yield from _stopped(client_workers.javascript(tmp_path_factory.mktemp("js"), told))


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    """A bare client of the application `free`, for requests that were read in others' sources."""
    headers = {"authorization": "Bearer sk-synapse-free"}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=30) as made:
        yield made


def break_off(cpu: OpenAIStub, after_pieces: int) -> None:
    """Let every stream of `gpu-bare` lose its connection after so many events, two with words."""
    cpu.behaviours["gpu-bare"] = Behaviour(dies_after_words=after_pieces, between_tokens_s=0.1)


def _stopped(worker: Worker) -> Iterator[Worker]:
    yield worker
    worker.stop()
