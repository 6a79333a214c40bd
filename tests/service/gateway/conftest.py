"""One gateway and three engines for all tests; every test starts with them healthy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway
from openai_stub import OpenAIStub
from synapse_deploy.render import gateway_config as shapes

ANY = {"models": ["*"]}
GPU_PORT, CPU_PORT, CLOUD_PORT, FAR_PORT, EDGE_PORT, METRICS_PORT, SPEECH_PORT = free_ports(7)
PORTS = {"vllm": GPU_PORT, "ollama": CPU_PORT, "speaches": SPEECH_PORT, "piper": SPEECH_PORT}
ENGINES = {engine: {"url": f"http://127.0.0.1:{port}"} for engine, port in PORTS.items()}
OUTSIDE = f"http://127.0.0.1:{CLOUD_PORT}/v1"


def model(name: str, engine: str = "ollama", kind: str = "chat", *fallbacks: str) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    outside = {"base_url": OUTSIDE, "source": f"{name}-at-provider", "api_key": None}
    own = {"name": name, "engine": engine, "kind": kind, "fallbacks": list(fallbacks)}
    return own | (outside if engine == "openai" else {})


DEAD_NAME_SERVER = Path(__file__).parents[2] / "support/dead_name_server"  # of this name alone
NAMELESS = "nameless.test"

CATALOGUE = [
    model("nameless", "openai", "chat", "cpu") | {"base_url": f"http://{NAMELESS}:80/v1"},
    model("nameless-ears", "openai", "transcription")
    | {"base_url": f"http://{NAMELESS}:80/v1", "languages": ["en"]},
    model("far", "openai", "chat", "cpu") | {"base_url": f"http://127.0.0.1:{FAR_PORT}/v1"},
    model("gpu", "vllm", "chat", "cpu") | {"context": 10},
    model("cpu", "ollama", "chat", "cloud") | {"context": 20},
    model("cloud", "openai"),
    model("lonely", "vllm"),
    model("minilm", "ollama", "embedding"),
    model("embed-gpu", "vllm", "embedding", "minilm"),
    model("whisper", "speaches", "transcription", "whisper-cloud")
    | {"source": "Systran/small", "languages": ["en", "de"]},
    model("whisper-cloud", "openai", "transcription") | {"languages": ["en"]},
    model("whisper-lonely", "speaches", "transcription") | {"source": "lonely"},
    model("piper", "piper", "speech", "voice-cloud")
    | {"source": "en_US-hum-low", "voices": {"thorsten": "de_DE-hum-low#1"}},
    model("voice-cloud", "openai", "speech") | {"api_key": "voice-cloud"},
    model("piper-lonely", "piper", "speech") | {"source": "en_US-sigh-low", "voices": {}},
]
APPS: list[dict[str, Any]] = [
    {"name": "free", **ANY, "priority": "batch", "max_wait_s": 12},
    {"name": "narrow", "models": ["chat", "minilm"]},
    {"name": "counted", **ANY, "requests_per_minute": 2},
    {"name": "frugal-true", **ANY, "tokens_per_minute": 20},
    {"name": "frugal-false", **ANY, "tokens_per_minute": 20},
    {"name": "talker", "models": ["tts-1", "cpu"], "requests_per_minute": 2},
    {"name": "single", **ANY, "parallel_requests": 1},
]


@pytest.fixture(scope="session")
def far_port() -> int:
    """Where the model `far` is said to live; nobody listens there unless a test does."""
    return FAR_PORT


@pytest.fixture(scope="session")
def gpu() -> Iterator[OpenAIStub]:
    """The engine of engine vllm."""
    yield from _upstream(GPU_PORT)


@pytest.fixture(scope="session")
def cpu() -> Iterator[OpenAIStub]:
    """The engine of engine ollama."""
    yield from _upstream(CPU_PORT)


@pytest.fixture(scope="session")
def cloud() -> Iterator[OpenAIStub]:
    """The engine outside, of engine openai."""
    yield from _upstream(CLOUD_PORT)


@pytest.fixture(scope="session")
def speech() -> Iterator[OpenAIStub]:
    """The engine of engines speaches and piper."""
    yield from _upstream(SPEECH_PORT)


@pytest.fixture(scope="session")
def gateway(
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    speech: OpenAIStub,
    gateway_config: dict[str, Any],
    litellm_config: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """The real gateway in front of all engines."""
    running = Gateway(tmp_path_factory.mktemp("gateway"), gateway_config, litellm_config)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PROVIDER_KEY_VOICE_CLOUD", "sk-voice")
            running.start(DEAD_NAME_SERVER)
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _healthy(request: pytest.FixtureRequest) -> None:
    for name in ("gpu", "cpu", "cloud", "speech"):
        if name in request.fixturenames:
            request.getfixturevalue(name).reset()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the application `free`."""
    headers = {"authorization": "Bearer sk-synapse-free"}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=30) as made:
        yield made


@pytest.fixture(scope="session")
def gateway_config() -> dict[str, Any]:
    """Return the edge's configuration."""
    settings = {"port": EDGE_PORT, "metrics_port": METRICS_PORT, "connect_timeout_s": 1}
    settings |= {"json_body_mib": 1, "audio_body_mib": 2, "uploads_at_once": 12}
    settings |= {"transcription_concurrency": 2, "transcription_wait_s": 10}
    settings |= {"audio_silence_s": 2, "body_timeout_s": 5}
    aliases = [{"name": "chat", "model": "gpu"}, {"name": "tts-1", "model": "piper-lonely"}]
    return shapes.gateway(CATALOGUE, aliases, APPS, ENGINES, settings)


@pytest.fixture(scope="session")
def litellm_config() -> dict[str, Any]:
    """Return LiteLLM's configuration, with time-outs short enough to wait for."""
    settings = {"timeout_s": 3, "stream_timeout_s": 2, "keepalive_s": 1}
    return shapes.routes(CATALOGUE, ENGINES, settings)


def _upstream(port: int) -> Iterator[OpenAIStub]:
    stub = OpenAIStub(port)
    stub.start()
    yield stub
    stub.shutdown()
