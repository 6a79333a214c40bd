"""An engine that hangs harms nobody else, however it hangs, and nobody waits for it for long."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started, until
from hanging_engine import HangingEngine, Way
from synapse_deploy.render import gateway_config as shapes

from .conftest import ENGINES, model

(HUNG_PORT,) = free_ports(1)
LIMIT_S, WHOLE_S = 1.0, 4.0
WAIT_S = 20
CLIENT = {"authorization": "Bearer sk-synapse-app"}
MESSAGES: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
ASKED: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": MESSAGES,
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": MESSAGES | {"max_tokens": 9},
    "/v1/embeddings": {"input": "hi"},
    "/v1/rerank": {"query": "hi", "documents": ["one", "two"]},
    "/api/chat": MESSAGES,
    "/api/generate": {"prompt": "hi"},
    "/api/embed": {"input": "hi"},
}
STREAMED = (*tuple(ASKED)[:4], "/api/chat", "/api/generate")
EVERY_REQUEST = [
    *((path, False) for path in ASKED), *((path, True) for path in STREAMED),
    ("/v1/audio/transcriptions", False), ("/v1/audio/transcriptions", True),
    ("/v1/audio/speech", False),
]  # fmt: skip
KINDS = {"/v1/embeddings": "embedding", "/api/embed": "embedding", "/v1/rerank": "rerank"}
KINDS |= {"/v1/audio/transcriptions": "transcription", "/v1/audio/speech": "speech"}
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00"
WAV += b"\x02\x00\x10\x00data\x00\x00\x00\x00" + bytes(64)


ENGINE_OF = {"transcription": "speaches", "speech": "piper"}
CATALOGUE = [
    model(kind, ENGINE_OF.get(kind, "vllm"), kind) | {"source": "m", "languages": [], "voices": {}}
    for kind in ("chat", "embedding", "rerank", "transcription", "speech")
]


@pytest.fixture(scope="module")
def listening() -> Iterator[HangingEngine]:
    with HangingEngine(HUNG_PORT) as engine:
        yield engine


@pytest.fixture
def hung(own: Gateway, listening: HangingEngine) -> HangingEngine:
    """The engine that hangs, for now with a good health."""
    listening.way, listening.requests, listening.ended = Way.SILENT, 0, 0
    return listening


@pytest.fixture(scope="module")
def own(listening: HangingEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose every model is at the engine that hangs."""
    port, metrics_port = free_ports(2)
    settings: dict[str, Any] = {"port": port, "metrics_port": metrics_port}
    names: tuple[str, ...] = ("timeout", "stream_timeout", "embedding_timeout", "rerank_timeout")
    names += ("speaking_timeout", "audio_silence", "client_pause")
    settings |= {f"{name}_s": LIMIT_S for name in names}
    settings |= {"keepalive_s": 0.3, "total_timeout_s": WHOLE_S}
    apps = [{"name": "app", "models": ["*"]}]
    config = shapes.gateway(CATALOGUE, [], apps, ENGINES, settings)
    config.pop("translator")
    for each in config["models"]:
        each["url"] = f"http://127.0.0.1:{HUNG_PORT}/v1"
    with started(Gateway(tmp_path_factory.mktemp("own"), config)) as running:
        yield running


def _ask(gateway: Gateway, path: str, stream: bool) -> httpx.Response:
    asked = KINDS.get(path, "chat")
    url = gateway.url + path
    if "transcriptions" in path:
        fields = {"model": asked, "stream": str(stream).lower()}
        return httpx.post(
            url, data=fields, files={"file": ("a.wav", WAV)}, headers=CLIENT, timeout=WAIT_S
        )
    if "speech" in path:
        return httpx.post(
            url, json={"model": asked, "input": "hi", "voice": "m"}, headers=CLIENT, timeout=WAIT_S
        )
    body = {"model": asked, **ASKED[path]}
    return httpx.post(
        url,
        json=body | ({"stream": stream} if path in STREAMED else {}),
        headers=CLIENT,
        timeout=WAIT_S,
    )


def _line(gateway: Gateway, answer: httpx.Response) -> dict[str, Any]:
    return gateway.line_of(answer.headers["x-request-id"])


@pytest.mark.parametrize("way", Way)
def test_every_wait_for_an_engine_has_a_limit(own: Gateway, hung: HangingEngine, way: Way) -> None:
    hung.way = way
    with ThreadPoolExecutor(len(EVERY_REQUEST)) as pool:
        for stream in (True, False):
            hung.stream = stream
            paths = [path for path, streamed in EVERY_REQUEST if streamed is stream]
            asking = {path: pool.submit(_ask, own, path, stream) for path in paths}
            for path, asked in asking.items():
                answer = asked.result()
                line = _line(own, answer)
                assert line["status"] in (502, 503, 504), (path, line)
                assert answer.status_code >= 500 or line["error"] in answer.text, (path, line)
                assert line["reason"] in ("timeout", "unreachable", None), (path, line)
    if way is not Way.UNREAD:  # such an engine does not notice
        until(lambda: hung.ended == hung.requests, WAIT_S, lambda: "the engine was not told")
