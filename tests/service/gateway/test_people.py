"""People behind an application: told apart in every dialect, hashed, and never named outside."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started, until
from gateway_process.process import MASTER_KEY, PEOPLE_SECRET
from openai_stub import OpenAIStub
from synapse_gateway.config import App
from synapse_gateway.people import People

CHAT, MESSAGES, HEAR, SAY = (
    "/v1/chat/completions", "/v1/messages", "/v1/audio/transcriptions", "/v1/audio/speech"
)  # fmt: skip
USAGE = "/operator/usage"
HI = [{"role": "user", "content": "hi"}]
HEADER = "X-OpenWebUI-User-Id"
FILE = {"file": ("a.wav", b"RIFF", "audio/wav")}
LIMIT_S = 10
PLACES = 11
"""For uploads of one batch application, of 24."""
HOUSE, FAMILY = ({"authorization": f"Bearer sk-synapse-{app}"} for app in ("house", "family"))
OPERATOR = {"authorization": f"Bearer {MASTER_KEY}"}


def hash_of(app: str, name: str) -> str:
    people = People(PEOPLE_SECRET.encode(), hashed=True)
    return people.hash_of(App(name=app, models=("*",)), name)


def post(gateway: Gateway, path: str, headers: dict[str, str], **what: Any) -> httpx.Response:
    return httpx.post(gateway.url + path, headers=headers, timeout=LIMIT_S, **what)


def used(gateway: Gateway, app: str) -> dict[str, dict[str, Any]]:
    """What each person of an application used."""
    told = httpx.get(f"{gateway.url}{USAGE}?by=person&app={app}", headers=OPERATOR).json()
    return {one["person"]: one for one in told["people"]}


def test_a_person_is_the_same_in_two_dialects_and_only_the_hash_leaves(
    gateway: Gateway, gpu: OpenAIStub, cloud: OpenAIStub
) -> None:
    anna, person = "anna@example.org", hash_of("house", "anna@example.org")
    message = {"messages": HI, "max_tokens": 5, "metadata": {"user_id": anna}}
    for model, stub in (("gpu", gpu), ("cloud", cloud)):
        for path, body in ((CHAT, {"messages": HI, "user": anna}), (MESSAGES, message)):
            answer = post(gateway, path, HOUSE, json={"model": model, **body})
            assert answer.status_code == 200, answer.text
            line = gateway.line_of(answer.headers["x-request-id"])
            assert (line["person"], line["app"]) == (person, "house")
            assert anna not in str(line)
            sent = stub.received[-1]
            assert anna not in f"{sent.body} {sent.headers}"
            assert person in str(sent.body)
            told = {name.lower(): value for name, value in sent.headers.items()}
            assert told.get("x-synapse-person") == (person if model == "gpu" else None)
    mine = used(gateway, "house")[person]
    assert (mine["requests"], mine["usd"]) == (4, 0)
    assert mine["tokens_in"] > 0


def test_a_header_names_people_in_every_dialect(gateway: Gateway, speech: OpenAIStub) -> None:
    person, headers = hash_of("family", "erna-17"), {**FAMILY, HEADER: "erna-17"}
    answers = [
        post(gateway, CHAT, headers, json={"model": "cpu", "messages": HI}),
        post(gateway, "/api/chat", headers, json={"model": "cpu", "messages": HI, "stream": False}),
        post(gateway, SAY, headers, json={"model": "piper-lonely", "input": "hi"}),
        post(gateway, HEAR, headers, data={"model": "whisper-lonely"}, files=FILE),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    lines = [gateway.line_of(answer.headers["x-request-id"]) for answer in answers]
    assert {line["person"] for line in lines} == {person}
    assert used(gateway, "family")[person]["requests"] == 4
    told = {request.path: request.headers for request in speech.received}
    assert told[SAY]["x-synapse-person"] == person, "our own speech server, whose line is his too"
    assert "erna-17" not in str(told[HEAR])
    assert not [name for name in told[HEAR] if name.startswith("x-synapse")]


def test_a_form_names_a_person_too(gateway: Gateway, speech: OpenAIStub) -> None:
    data = {"model": "whisper-lonely", "user": "carla"}
    answer = post(gateway, HEAR, HOUSE, data=data, files=FILE)
    assert answer.status_code == 200
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["person"] == hash_of("house", "carla")
    assert "carla" not in str(speech.received[-1].body)


def test_a_name_that_is_none_is_a_400_in_the_dialects_own_shape(gateway: Gateway) -> None:
    chat = post(gateway, CHAT, HOUSE, json={"model": "gpu", "messages": HI, "user": "x" * 300})
    assert (chat.status_code, chat.json()["error"]["param"]) == (400, "user")
    body = {"model": "gpu", "messages": HI, "max_tokens": 5, "metadata": {"user_id": "a\nb"}}
    message = post(gateway, MESSAGES, HOUSE, json=body)
    assert (message.status_code, message.json()["type"]) == (400, "error")
    assert "'metadata.user_id' names who asks" in message.json()["error"]["message"]
    long = post(gateway, CHAT, {**FAMILY, HEADER: "y" * 300}, json={"model": "gpu"})
    assert (long.status_code, long.json()["error"]["param"]) == (400, HEADER)


@pytest.fixture
def plain(
    gateway_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway whose log names people as they come."""
    port, metrics_port = free_ports(2)
    settings = {**gateway_config["settings"], "port": port, "metrics_port": metrics_port}
    told = {**gateway_config, "settings": {**settings, "hash_people": False}}
    running = Gateway(tmp_path_factory.mktemp("plain"), told)
    with started(running):
        yield running


def test_a_site_may_read_names_in_its_log(plain: Gateway) -> None:
    answer = post(plain, CHAT, HOUSE, json={"model": "nothing", "messages": HI, "user": "anna"})
    assert answer.status_code == 404
    line = plain.line_of(answer.headers["x-request-id"])
    assert (line["person"], line["person_hash"]) == ("anna", hash_of("house", "anna"))


def test_one_person_of_an_application_may_upload_however_much_another_does(
    gateway: Gateway, speech: OpenAIStub
) -> None:
    def waiting() -> float:
        return gateway.metric("synapse_gateway_upload_queue_length")

    with contextlib.ExitStack() as trickling, ThreadPoolExecutor(1) as pool:
        held = [trickling.enter_context(trickle(gateway, "anna")) for _ in range(PLACES)]
        until(lambda: in_flight(gateway) == PLACES, LIMIT_S, lambda: f"{in_flight(gateway)}")
        for number in (1, 2, 3):
            trickling.enter_context(trickle(gateway, "anna"))
            until(lambda number=number: waiting() == number, LIMIT_S, lambda: f"{waiting()}")  # type: ignore[misc]
        data, ben = {"model": "whisper-lonely"}, {**FAMILY, HEADER: "ben"}
        asked = pool.submit(post, gateway, HEAR, ben, data=data, files=FILE)
        until(lambda: waiting() == 4, LIMIT_S, lambda: f"{waiting()}")
        held[0].close()
        assert asked.result().status_code == 200, "his turn came before her next one"
    until(lambda: in_flight(gateway) == 0, LIMIT_S, lambda: f"{in_flight(gateway)}")


@contextlib.contextmanager
def trickle(gateway: Gateway, person: str) -> Iterator[socket.socket]:
    """An upload that is never done."""
    head = (
        f"POST {HEAR} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-synapse-family\r\n"
        f"{HEADER}: {person}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 100000\r\n\r\n--b\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=LIMIT_S) as connection:
        connection.sendall(head.encode())
        yield connection


def in_flight(gateway: Gateway) -> float:
    return gateway.metric("synapse_gateway_requests_in_flight", app="family")


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("key", ["sk-synapse-free", "sk-synapse-house", "wrong", ""])
def test_for_any_other_key_the_operators_route_is_not_there(
    gateway: Gateway, method: str, key: str
) -> None:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    found = [
        httpx.request(method, gateway.url + path, headers=headers)
        for path in (USAGE, "/operator/nothing")
    ]
    told = [(one.status_code, one.text.replace("nothing", "usage")) for one in found]
    assert told[0] == told[1]
    assert found[0].status_code == 404
    assert found[0].headers.keys() == found[1].headers.keys()


def test_the_operator_reads_who_asked_and_when(gateway: Gateway, cpu: OpenAIStub) -> None:
    body = {"model": "cpu", "messages": HI, "user": "dora"}
    before = apps(gateway)["house"]
    assert post(gateway, CHAT, HOUSE, json=body).status_code == 200
    after = apps(gateway)["house"]
    assert after["requests_today"] == before["requests_today"] + 1
    assert after["people_today"] == before["people_today"] + 1
    assert after["last_used"].endswith("Z")
    assert apps(gateway)["talker"].keys() == after.keys()
    wrong = httpx.get(f"{gateway.url}{USAGE}?by=person&app=nobody", headers=OPERATOR)
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "app")
    assert httpx.get(f"{gateway.url}{USAGE}?by=day", headers=OPERATOR).status_code == 400
    assert httpx.post(gateway.url + USAGE, headers=OPERATOR).status_code == 405


def apps(gateway: Gateway) -> dict[str, dict[str, Any]]:
    told = httpx.get(gateway.url + USAGE, headers=OPERATOR).json()
    return {one["app"]: one for one in told["apps"]}
