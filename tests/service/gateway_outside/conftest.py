"""A gateway before a house and a provider outside it, each a stub, with the real LiteLLM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

import client_workers
from client_workers import Worker
from free_ports import free_ports
from gateway_process import Gateway, started
from gateway_process.process import MASTER_KEY
from litellm_process import KEY, LiteLLM
from openai_stub import OpenAIStub
from synapse_deploy.render import gateway_config, litellm_config

HOUSE_PORT, CLOUD_PORT, LITELLM_PORT, INNER_PORT = free_ports(4)
HOUSE = {"url": f"http://127.0.0.1:{HOUSE_PORT}"}
ENGINES = {name: HOUSE for name in ("ollama", "vllm", "speaches", "piper")}
ENGINES |= {"litellm": {"url": f"http://127.0.0.1:{LITELLM_PORT}"}}
LITELLMS_ENGINES = ENGINES | {"ollama": {"url": f"http://127.0.0.1:{INNER_PORT}"}}
OUTSIDE = f"http://127.0.0.1:{CLOUD_PORT}/v1"
TOKEN_USD = 0.001
DEAR = {"input_usd_per_million": 1000, "output_usd_per_million": 1000}
"""Each token is a thousandth of a dollar."""
TOKENS = 11
"""Of every answer that the stubs count."""


def model(name: str, engine: str, *fallbacks: str, **more: Any) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    own = {"name": name, "engine": engine, "kind": "chat", "source": name, **more}
    return own | {"fallbacks": list(fallbacks)}


def outside(name: str, *fallbacks: str, engine: str = "openai", **more: Any) -> dict[str, Any]:
    """Return one of a provider outside, which this machine stands for."""
    told = {"base_url": OUTSIDE, "api_key": None, "leaves": True, **more}
    return model(name, engine, *fallbacks, **told)


CATALOGUE = [
    model("home", "ollama"),
    model("home-out", "ollama", "cloud"),
    model("gpu-out", "vllm", "cloud"),
    model("home-embed", "ollama", "cloud-embed", kind="embedding"),
    model("home-ranks", "vllm", "cloud-ranks", kind="rerank"),
    model("ears", "speaches", "cloud-ears", kind="transcription"),
    model("voice", "piper", "cloud-voice", kind="speech", source="en_US-hum-low", voices={}),
    outside("cloud", price=DEAR),
    outside("cloud-plain", price=DEAR, capabilities=["tools"]),
    outside("cloud-home", "home", price=DEAR),
    outside("cloud-embed", kind="embedding", price={"input_usd_per_million": 1000}),
    outside("cloud-ranks", kind="rerank", price={"usd_per_query": 0.002}),
    outside("cloud-ears", kind="transcription", price={"usd_per_minute": 60}),
    outside("cloud-voice", kind="speech", price={"usd_per_million_characters": 10_000}),
    outside("unpriced"),
    outside("listed", engine="litellm", source="openai/gpt-4o-mini"),
]
ALIASES = [{"name": "chat", "model": "home-out"}, {"name": "smart", "model": "cloud"}]
MAY = {"models": ["*"], "may_leave": True}
LIMITED = (
    "saver", "client", "stopped", "replaced", "killed", "parallel", "left", "broken", "spoken",
    "heard", "unseen-chat", "unseen-responses",
)  # fmt: skip
APPS: list[dict[str, Any]] = [
    {"name": "diary", "models": ["*"]},
    {"name": "page", **MAY},
    *({"name": name, **MAY, "monthly_usd": 0.1} for name in LIMITED),
]
SETTINGS: dict[str, Any] = {
    "connect_timeout_s": 1, "timeout_s": 10, "stream_timeout_s": 2, "keepalive_s": 1,
}  # fmt: skip

Start = Callable[[Gateway], Gateway]


@pytest.fixture(scope="session")
def _stubs() -> Iterator[tuple[OpenAIStub, OpenAIStub]]:
    stubs = OpenAIStub(HOUSE_PORT), OpenAIStub(CLOUD_PORT)
    for stub in stubs:
        stub.start()
    yield stubs
    for stub in stubs:
        stub.shutdown()


@pytest.fixture
def house(_stubs: tuple[OpenAIStub, OpenAIStub]) -> OpenAIStub:
    """Every engine in the house, healthy and with nothing received yet."""
    _stubs[0].reset()
    return _stubs[0]


@pytest.fixture
def cloud(_stubs: tuple[OpenAIStub, OpenAIStub]) -> OpenAIStub:
    """The provider outside, likewise."""
    _stubs[1].reset()
    return _stubs[1]


@pytest.fixture(scope="session")
def _litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteLLM]:
    timeouts = {"timeout_s": 10, "stream_timeout_s": 2, "connect_timeout_s": 1}
    config = litellm_config.config(CATALOGUE, ALIASES, LITELLMS_ENGINES, timeouts)
    running = LiteLLM(tmp_path_factory.mktemp("litellm"), config, LITELLM_PORT)
    with started(running, OPENAI_API_KEY="none"):
        yield running


def made(factory: pytest.TempPathFactory, **settings: Any) -> Gateway:
    """Return a gateway that is not started yet, with these settings too."""
    port, metrics_port = free_ports(2)
    ports = {"port": port, "metrics_port": metrics_port}
    told = {**SETTINGS, **settings, **ports}
    config = gateway_config.gateway(CATALOGUE, ALIASES, APPS, ENGINES, told)
    return Gateway(factory.mktemp("gateway"), config)


@pytest.fixture(scope="session")
def gateway(
    _stubs: object, _litellm: LiteLLM, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """The real gateway, whose inner port LiteLLM reaches."""
    with started(made(tmp_path_factory, inner_port=INNER_PORT), LITELLM_KEY=KEY) as running:
        yield running


@pytest.fixture
def another(
    _stubs: object,
    _litellm: LiteLLM,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Gateway]]:
    """Make one more gateway, of which the test says when it runs, with settings of its own."""
    monkeypatch.setenv("LITELLM_KEY", KEY)
    with ExitStack() as stack:

        def make(**settings: Any) -> Gateway:
            found = made(tmp_path_factory, **settings)
            stack.callback(found.stop)
            return found

        yield make


def client(gateway: Gateway, app: str) -> httpx.Client:
    """Return a client of an application."""
    key = MASTER_KEY if app == "operator" else f"sk-synapse-{app}"
    headers = {"authorization": f"Bearer {key}"}
    return httpx.Client(base_url=gateway.url, headers=headers, timeout=30)


@pytest.fixture(scope="session")
def python(gateway: Gateway) -> Iterator[Worker]:
    """The packages of OpenAI, Anthropic and Ollama."""
    worker = client_workers.python({"GATEWAY_URL": gateway.url, "GATEWAY_KEY": "sk-synapse-client"})
    yield worker
    worker.stop()
