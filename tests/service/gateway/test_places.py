"""An engine that hangs, or a client that does, takes its own places and nobody else's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started, until
from hanging_engine import HangingEngine
from openai_stub import Behaviour, OpenAIStub
from synapse_deploy.render import gateway_config as shapes

from .conftest import ENGINES, model

HUNG_PORT, WELL_PORT = free_ports(2)
PLACES, BEAT_S, PAUSE_S, WAIT_S = 4, 0.2, 3.0, 30
CHAT = "/v1/chat/completions"
HEADERS = {"authorization": "Bearer sk-synapse-app"}
STREAMS, SLOW = 100, 10
LONG = ("a word " * 8,) * 300
HUGE = ("a word " * 600,) * 3000
"""12 MB: more than the kernel's buffers between two programs hold."""


@pytest.fixture(scope="module")
def stub() -> Iterator[OpenAIStub]:
    made = OpenAIStub(WELL_PORT)
    made.start()
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def own(stub: OpenAIStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before one engine that may hang and one that is well, with long time-outs."""
    port, metrics_port = free_ports(2)
    settings = {"port": port, "metrics_port": metrics_port, "client_pause_s": PAUSE_S}
    settings |= {"health_beat_s": BEAT_S, "keepalive_s": 0.3}
    models = [
        model("alone", "vllm"), model("cured", "vllm", "chat", "well"), model("well", "ollama"),
    ]  # fmt: skip
    apps = [{"name": "app", "models": ["*"], "parallel_requests": PLACES}]
    apps += [{"name": "many", "models": ["*"], "parallel_requests": STREAMS}]
    config = shapes.gateway(models, [], apps, ENGINES, settings)
    config.pop("translator")
    for each in config["models"]:
        at = WELL_PORT if each["name"] == "well" else HUNG_PORT
        each["url"] = f"http://127.0.0.1:{at}/v1"
    with started(Gateway(tmp_path_factory.mktemp("own"), config)) as running:
        yield running


@pytest.fixture
def hung(own: Gateway, stub: OpenAIStub) -> Iterator[HangingEngine]:
    """The engine that takes every request and says nothing; its health is good."""
    stub.reset()
    with HangingEngine(HUNG_PORT) as engine:
        until(lambda: _up(own) == 1, WAIT_S, lambda: "it did not come back")
        yield engine


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as made:
        yield made


def _up(gateway: Gateway) -> float:
    return gateway.metric("synapse_gateway_engine_up", engine="arbiter")


def _ask(gateway: Gateway, name: str, stream: bool = False) -> httpx.Response:
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    return httpx.post(gateway.url + CHAT, json=body, headers=HEADERS, timeout=WAIT_S)


def _line(gateway: Gateway, answer: httpx.Response) -> dict[str, Any]:
    return gateway.line_of(answer.headers["x-request-id"])


def _fill(
    pool: ThreadPoolExecutor, gateway: Gateway, hung: HangingEngine, name: str
) -> list[Future[httpx.Response]]:
    """Let requests wait at all places of a model, half of them for a stream."""
    before = hung.requests
    waiting = [
        pool.submit(_ask, gateway, name, stream=bool(number % 2)) for number in range(PLACES)
    ]
    until(lambda: hung.requests == before + PLACES, WAIT_S, lambda: f"{hung.requests} came")
    return waiting


def test_a_hung_engine_fills_its_own_places_and_no_others(
    own: Gateway, hung: HangingEngine, pool: ThreadPoolExecutor
) -> None:
    waiting = _fill(pool, own, hung, "alone")
    refused = _ask(own, "alone")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    answers = [pool.submit(_ask, own, "well") for _ in range(PLACES)]
    assert [each.result().status_code for each in answers] == [200] * PLACES
    waiting += _fill(pool, own, hung, "cured")
    assert _ask(own, "well").status_code == 200
    hung.is_well = False
    for each in waiting:
        each.result()


def test_who_waits_for_an_engine_that_went_away_is_given_up_and_falls_back(
    own: Gateway, hung: HangingEngine, pool: ThreadPoolExecutor
) -> None:
    cured, alone = _fill(pool, own, hung, "cured"), _fill(pool, own, hung, "alone")
    hung.is_well = False
    for each in cured:
        answer = each.result()
        line = _line(own, answer)
        assert (line["served"], line["reason"], line["status"]) == ("well", "away", 200), line
        assert "Hello" in answer.text
    for each in alone:
        answer = each.result()
        line = _line(own, answer)
        assert (line["reason"], line["error"]) == ("away", "model_unavailable"), line
        assert answer.status_code == 503 or "model_unavailable" in answer.text
    until(lambda: hung.ended == hung.requests, WAIT_S, lambda: "the engine was not told")
    told = [line for line in own.lines if line["event"] == "engine"]
    assert told[-1] == told[-1] | {"engine": "arbiter", "state": "away", "given_up": 2 * PLACES}


def test_an_engine_that_is_away_is_not_asked_and_comes_back(
    own: Gateway, hung: HangingEngine, pool: ThreadPoolExecutor
) -> None:
    hung.is_well = False
    until(lambda: _up(own) == 0, WAIT_S, lambda: "it is not away")
    before = hung.requests
    answer = _ask(own, "alone", stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert answer.headers["retry-after"] == "1", "a beat is shorter"
    assert _line(own, _ask(own, "cured"))["reason"] == "away"
    assert hung.requests == before
    listed = httpx.get(f"{own.url}/v1/models", headers=HEADERS).json()["data"]
    states = {each["id"]: each.get("state") for each in listed}
    assert states == {"alone": "away", "cured": "away", "well": None}
    hung.is_well = True
    until(lambda: _up(own) == 1, WAIT_S, lambda: "it did not come back")
    asked = pool.submit(_ask, own, "cured")
    until(lambda: hung.requests == before + 1, WAIT_S, lambda: "it is not asked again")
    hung.is_well = False
    assert asked.result().headers["x-synapse-model"] == "well"


def _stream(gateway: Gateway, app: str, read_at_most: int) -> socket.socket:
    """Ask for a stream over a connection that holds little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_at_most)
    client.settimeout(WAIT_S)
    client.connect(("127.0.0.1", gateway.port))
    body = b'{"model": "well", "stream": true, "messages": [{"role": "user", "content": "hi"}]}'
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-synapse-{app}\r\n"
    client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return client


def test_a_client_that_takes_nothing_is_broken_off(own: Gateway, stub: OpenAIStub) -> None:
    stub.reset()
    stub.behaviours["well"] = Behaviour(words=HUGE)
    lines_before = len(own.lines)

    def stalled() -> list[dict[str, Any]]:
        return [line for line in own.lines[lines_before:] if line.get("error") == "client_stalled"]

    with _stream(own, "app", 4096):
        until(lambda: bool(stalled()), WAIT_S, lambda: "it keeps its place")
        assert (stalled()[0]["status"], stalled()[0]["served"]) == (499, "well")
        until(lambda: stub.at_once == 0, WAIT_S, lambda: "the engine was not told")
    assert own.metric("synapse_gateway_requests_in_flight", app="app") == 0


def test_slow_readers_among_many_harm_nobody(own: Gateway, stub: OpenAIStub) -> None:
    stub.reset()
    stub.behaviours["well"] = Behaviour(words=LONG)
    clients = [_stream(own, "many", 4096) for _ in range(STREAMS)]
    assert httpx.get(f"{own.url}/health/live", timeout=WAIT_S).status_code == 200
    at_once = [512] * SLOW + [65536] * (STREAMS - SLOW)
    with ThreadPoolExecutor(STREAMS) as pool:
        assert all(pool.map(_is_whole, clients, at_once))


def _is_whole(client: socket.socket, at_once: int) -> bool:
    heard = b""
    while b"[DONE]" not in heard[-2000:] and (piece := client.recv(at_once)):
        heard += piece
    client.close()
    return b"[DONE]" in heard and b'"error"' not in heard
