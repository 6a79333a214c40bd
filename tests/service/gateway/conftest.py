"""One gateway and three engines for all tests; every test starts with them healthy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started
from litellm_process import KEY, LiteLLM
from openai_stub import OpenAIStub
from synapse_deploy.render import gateway_config as shapes
from synapse_deploy.render import litellm_config as litellm_shapes

from . import local_road

ANY = {"models": ["*"]}
GPU_PORT, CPU_PORT, CLOUD_PORT, FAR_PORT, SPEECH_PORT, LITELLM_PORT, INNER_PORT = free_ports(7)
PORTS = {
    "vllm": GPU_PORT,
    "ollama": CPU_PORT,
    "speaches": SPEECH_PORT,
    "piper": SPEECH_PORT,
    "litellm": LITELLM_PORT,
}
ENGINES = {engine: {"url": f"http://127.0.0.1:{port}"} for engine, port in PORTS.items()}
LITELLMS_ENGINES = {**ENGINES, "ollama": {"url": f"http://127.0.0.1:{INNER_PORT}"}}
"""What is on Ollama, LiteLLM reaches through the gateway."""
OUTSIDE = f"http://127.0.0.1:{CLOUD_PORT}/v1"


def model(name: str, engine: str = "ollama", kind: str = "chat", *fallbacks: str) -> dict[str, Any]:
    """Return a resolved catalogue entry."""
    outside = {"base_url": OUTSIDE, "source": f"{name}-at-provider", "api_key": None}
    own = {"name": name, "engine": engine, "kind": kind, "fallbacks": list(fallbacks)}
    return own | (outside if engine == "openai" else {})


DEAD_NAME_SERVER = Path(__file__).parents[2] / "support/dead_name_server"  # of this name alone
NAMELESS = "nameless.test"
NAMELESS_PLACE = {"base_url": f"http://{NAMELESS}:80/v1", "leaves": False}

ABLE = ["tools", "reasoning", "json"]
CATALOGUE = [
    model("nameless", "openai", "chat", "cpu") | NAMELESS_PLACE,
    model("nameless-ears", "openai", "transcription") | NAMELESS_PLACE | {"languages": ["en"]},
    model("far", "openai", "chat", "cpu") | {"base_url": f"http://127.0.0.1:{FAR_PORT}/v1"},
    model("gpu", "vllm", "chat", "cpu") | {"context": 10},
    model("cpu", "ollama", "chat", "cloud") | {"context": 20},
    model("cpu-alone", "ollama") | {"context": 20},
    model("cpu-pair", "ollama", "chat", "lonely"),
    model("cutter", "ollama", "chat", "lonely") | {"context": 20},
    model("cutter-alone", "ollama") | {"context": 20},
    model("cutter-embed", "ollama", "embedding") | {"context": 20},
    model("cloud", "openai"),
    model("lonely", "vllm"),
    model("pair", "vllm", "chat", "lonely"),
    model("sees", "vllm", "chat", "lonely", "sees-too") | {"capabilities": ["vision"]},
    model("sees-too", "vllm") | {"capabilities": ["vision"]},
    model("able", "vllm", "chat", "unable", "able-too") | {"capabilities": ABLE},
    model("unable", "vllm") | {"capabilities": []},
    model("able-too", "vllm") | {"capabilities": ABLE},
    model("small", "vllm", "chat", "smaller", "roomy") | {"context": 10},
    model("smaller", "vllm") | {"context": 5},
    model("roomy", "vllm") | {"context": 30},
    model("minilm", "ollama", "embedding"),
    model("embed-gpu", "vllm", "embedding", "minilm"),
    model("ranks", "vllm", "rerank"),
    model("whisper", "speaches", "transcription", "whisper-cloud")
    | {"source": "Systran/small", "languages": ["en", "de"]},
    model("whisper-cloud", "openai", "transcription") | {"languages": ["en"]},
    model("whisper-lonely", "speaches", "transcription") | {"source": "lonely"},
    model("piper", "piper", "speech", "voice-cloud")
    | {"source": "en_US-hum-low", "voices": {"thorsten": "de_DE-hum-low#1"}},
    model("voice-cloud", "openai", "speech") | {"api_key": "voice-cloud"},
    model("piper-lonely", "piper", "speech") | {"source": "en_US-sigh-low", "voices": {}},
]
ALIASES: list[dict[str, Any]] = [
    {"name": "chat", "model": "gpu"},
    {"name": "tts-1", "model": "piper-lonely"},
    *(
        {"name": f"cloud-{name}", "model": "cloud", "fixed": {"system": "Be brief.", **says}}
        for name, says in (
            ("thinks", {"thinking": True, "temperature": 0.2}),
            ("hastens", {"thinking": False, "max_output_tokens": 99}),
            ("ponders", {"effort": "high"}),
        )
    ),
]
APPS: list[dict[str, Any]] = [
    {"name": "free", **ANY, "priority": "batch", "max_wait_s": 12},
    {"name": "narrow", "models": ["chat", "minilm"]},
    {"name": "counted", **ANY, "requests_per_minute": 2},
    {"name": "frugal-true", **ANY, "tokens_per_minute": 20},
    {"name": "frugal-false", **ANY, "tokens_per_minute": 20},
    *({"name": f"stopped-{number}", **ANY, "tokens_per_minute": 3} for number in range(6)),
    {"name": "talker", "models": ["tts-1", "cpu"], "requests_per_minute": 2},
    {"name": "voice", **ANY},
    {"name": "single", **ANY, "parallel_requests": 1},
    {"name": "house", **ANY, "may_leave": True, "person_from": "user"},
    {"name": "family", **ANY, "priority": "batch", "person_from": "X-OpenWebUI-User-Id"},
    {"name": "guest", **ANY, "key_until": "2026-01-31"},
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
def litellm(
    litellm_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiteLLM]:
    """The real LiteLLM, which reaches what is outside."""
    running = LiteLLM(tmp_path_factory.mktemp("litellm"), litellm_config, LITELLM_PORT)
    with started(running, DEAD_NAME_SERVER):
        yield running


@pytest.fixture(scope="session")
def direct(
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    speech: OpenAIStub,
    litellm: LiteLLM,
    gateway_config: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """The real gateway in front of all engines."""
    yield from _gateway(tmp_path_factory, gateway_config, inner_port=INNER_PORT)


@pytest.fixture(scope="session")
def behind(
    direct: Gateway, gateway_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """One more, which reaches the models of the GPU through LiteLLM."""
    config = gateway_config | {
        "models": shapes.gateway(CATALOGUE, (), (), ENGINES, {}, local_road.BEHIND)["models"]
    }
    yield from _gateway(tmp_path_factory, config)


@pytest.fixture
def gateway(request: pytest.FixtureRequest, direct: Gateway, local: str) -> Gateway:
    """The gateway that a test asks, in one setting of `gateway_local_road` or in both."""
    if local != local_road.BEHIND:
        return direct
    running: Gateway = request.getfixturevalue("behind")
    return running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run some modules in both settings."""
    if "gateway" in metafunc.fixturenames:
        both = metafunc.module.__name__.rpartition(".")[2] in local_road.IN_BOTH
        metafunc.parametrize("local", local_road.SETTINGS if both else local_road.SETTINGS[:1])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect to fail what is known to differ; what no longer does has to leave the list."""
    for item in items:
        why = local_road.differs(item.name)
        if why is not None:
            item.add_marker(pytest.mark.xfail(reason=why, strict=True))


@pytest.fixture(autouse=True)
def _healthy(request: pytest.FixtureRequest) -> Iterator[None]:
    names = [name for name in ("gpu", "cpu", "cloud", "speech") if name in request.fixturenames]
    engines = [request.getfixturevalue(name) for name in names]
    for engine in engines:
        engine.reset()
    yield
    for engine in engines:  # the gateway asks for their health all the time
        engine.reset()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the application `free`."""
    headers = {"authorization": "Bearer sk-synapse-free"}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=30) as made:
        yield made


@pytest.fixture(scope="session")
def gateway_config() -> dict[str, Any]:
    """Return the edge's configuration."""
    settings: dict[str, Any] = {"connect_timeout_s": 1}
    settings |= {"json_body_mib": 1, "audio_body_mib": 2, "uploads_at_once": 24}
    settings |= {"transcription_concurrency": 2, "transcription_wait_s": 10}
    settings |= {"audio_silence_s": 2, "speaking_timeout_s": 2, "body_timeout_s": 5}
    settings |= {"timeout_s": 3, "stream_timeout_s": 2, "keepalive_s": 1}
    settings |= {"embedding_timeout_s": 3, "rerank_timeout_s": 3}
    return shapes.gateway(CATALOGUE, ALIASES, APPS, ENGINES, settings)


@pytest.fixture(scope="session")
def litellm_config() -> dict[str, Any]:
    """Return LiteLLM's configuration, with time-outs short enough to wait for."""
    timeouts = {"timeout_s": 3, "stream_timeout_s": 2, "connect_timeout_s": 1}
    return litellm_shapes.config(CATALOGUE, ALIASES, LITELLMS_ENGINES, timeouts)


def _gateway(
    factory: pytest.TempPathFactory, config: dict[str, Any], **ports: int
) -> Iterator[Gateway]:
    port, metrics_port = free_ports(2)
    settings = {**config["settings"], "port": port, "metrics_port": metrics_port, **ports}
    running = Gateway(factory.mktemp("gateway"), {**config, "settings": settings})
    with started(running, DEAD_NAME_SERVER, PROVIDER_KEY_VOICE_CLOUD="sk-voice", LITELLM_KEY=KEY):
        yield running


def _upstream(port: int) -> Iterator[OpenAIStub]:
    stub = OpenAIStub(port)
    stub.start()
    yield stub
    stub.shutdown()
