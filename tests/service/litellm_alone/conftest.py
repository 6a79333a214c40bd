"""The real LiteLLM with our callbacks, and three engines; every test starts with them healthy.

A gateway stands beside it: LiteLLM reaches the models on Ollama by its inner port.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started
from litellm_process import KEY, LiteLLM
from openai_stub import OpenAIStub
from synapse_deploy.catalogue.resolve import resolve
from synapse_deploy.render import gateway_config, litellm_config

GPU_PORT, CPU_PORT, CLOUD_PORT, DEAD_PORT, PORT = free_ports(5)
EDGE_PORT, INNER_PORT, METRICS_PORT = free_ports(3)


def _at(**ports: int) -> dict[str, dict[str, str]]:
    return {engine: {"url": f"http://127.0.0.1:{port}"} for engine, port in ports.items()}


GATEWAYS_ENGINES = _at(vllm=GPU_PORT, ollama=CPU_PORT, litellm=PORT)
LITELLMS_ENGINES = _at(vllm=GPU_PORT, ollama=INNER_PORT)
OUTSIDE = f"http://127.0.0.1:{CLOUD_PORT}/v1"
TIMEOUTS = {"timeout_s": 3.0, "stream_timeout_s": 2.0, "connect_timeout_s": 1.0}


def model(name: str, engine: str = "ollama", kind: str = "chat", *fallbacks: str) -> dict[str, Any]:
    """A catalogue entry."""
    outside = {"base_url": OUTSIDE, "source": f"{name}-at-provider"}
    own = {"name": name, "engine": engine, "source": name, "kind": kind}
    return {**own, "fallbacks": list(fallbacks), **(outside if engine == "openai" else {})}


CATALOGUE = [
    model("dead", "openai", "chat", "cpu") | {"base_url": f"http://127.0.0.1:{DEAD_PORT}/v1"},
    model("gpu", "vllm", "chat", "cpu") | {"context": 10},
    model("cpu", "ollama", "chat", "cloud") | {"context": 20},
    model("cloud", "openai") | {"api_key": "cloud"},
    model("lonely", "vllm"),
    model("strange", "litellm", "chat", "cloud")
    | {"source": "deepseek/strange-v1", "base_url": OUTSIDE, "api_key": "strange"}
    | {"parameters": {"temperature": 0.5, "seed": {"secret": "the-seed"}}},
    model("claude", "litellm") | {"source": "anthropic/claude-x", "base_url": OUTSIDE},
    model("minilm", "ollama", "embedding"),
    model("embed-gpu", "vllm", "embedding", "minilm"),
    model("embed-cloud", "openai", "embedding"),
    model("order", "vllm", "rerank", "order-cloud"),
    model("order-cloud", "openai", "rerank"),
    *(model(f"chain-{n}", "vllm", "chat", f"chain-{n + 1}") for n in range(7)),
    model("chain-7", "ollama"),
]
NAMES = [{"name": "chat", "model": "gpu"}, {"name": "embed", "model": "embed-gpu"}]


@pytest.fixture(scope="session")
def gpu() -> Iterator[OpenAIStub]:
    """The engine of engine vllm."""
    yield from _engine(GPU_PORT)


@pytest.fixture(scope="session")
def cpu() -> Iterator[OpenAIStub]:
    """The engine of engine ollama."""
    yield from _engine(CPU_PORT)


@pytest.fixture(scope="session")
def cloud() -> Iterator[OpenAIStub]:
    """The provider outside."""
    yield from _engine(CLOUD_PORT)


@pytest.fixture(scope="session")
def gateway(cpu: OpenAIStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway, of which LiteLLM needs the inner port alone."""
    ports = {"port": EDGE_PORT, "inner_port": INNER_PORT, "metrics_port": METRICS_PORT}
    models = resolve(CATALOGUE, [{}])
    config = gateway_config.gateway(models, NAMES, [], GATEWAYS_ENGINES, ports)
    running = Gateway(tmp_path_factory.mktemp("gateway"), config)
    with started(running, LITELLM_KEY=KEY):
        yield running


@pytest.fixture(scope="session")
def litellm(
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    gateway: Gateway,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiteLLM]:
    """LiteLLM in front of all engines, as the role configures it."""
    config = litellm_config.config(resolve(CATALOGUE, [{}]), NAMES, LITELLMS_ENGINES, TIMEOUTS)
    running = LiteLLM(tmp_path_factory.mktemp("litellm"), config, PORT)
    keys = {"CLOUD": "sk-cloud", "STRANGE": "sk-strange", "THE_SEED": "7"}
    with started(running, **{f"PROVIDER_KEY_{name}": value for name, value in keys.items()}):
        yield running


@pytest.fixture(autouse=True)
def _healthy(request: pytest.FixtureRequest) -> None:
    for name in ("gpu", "cpu", "cloud"):
        if name in request.fixturenames:
            request.getfixturevalue(name).reset()


@pytest.fixture
def client(litellm: LiteLLM) -> Iterator[httpx.Client]:
    """A client with LiteLLM's key, as the gateway is."""
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=litellm.url, headers=headers, timeout=30) as made:
        yield made


def _engine(port: int) -> Iterator[OpenAIStub]:
    stub = OpenAIStub(port)
    stub.start()
    yield stub
    stub.shutdown()
