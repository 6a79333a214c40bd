"""Uploads of every size and name, and clients that do not wait for the end of theirs."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub

HEAR = "/v1/audio/transcriptions"
SAY = "/v1/audio/speech"
FORM = "multipart/form-data; boundary=b"
LIMIT_S = 10
LIMIT_BYTES = 2 * 1024**2
PLACES = 24
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper'
    b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
)
TAIL = b"\r\n--b--\r\n"
ROOM = LIMIT_BYTES - len(HEAD) - len(TAIL)
"""Bytes of the largest recording that such a form may hold."""


@pytest.fixture(autouse=True)
def _nothing_is_left(gateway: Gateway, client: httpx.Client, speech: OpenAIStub) -> Iterator[None]:
    yield
    speech.reset()
    assert send(client, b"RIFF").status_code == 200
    until(lambda: not gateway.deleted_files(), LIMIT_S, lambda: str(gateway.deleted_files()))


def send(client: httpx.Client, recording: bytes, in_pieces: bool = False) -> httpx.Response:
    body = HEAD + recording + TAIL
    pieces = iter([body[at : at + 65536] for at in range(0, len(body), 65536)])
    return client.post(HEAR, content=pieces if in_pieces else body, headers={"content-type": FORM})


def connect(gateway: Gateway, length: int, path: str = HEAR, kind: str = FORM) -> socket.socket:
    """Open a connection and send a request's head."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-synapse-free\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=LIMIT_S)
    connection.sendall(head.encode())
    return connection


@pytest.mark.parametrize("in_pieces", [False, True], ids=["length", "chunked"])
def test_the_largest_upload_passes_and_one_byte_more_is_413(
    client: httpx.Client, speech: OpenAIStub, in_pieces: bool
) -> None:
    assert send(client, b"x" * ROOM, in_pieces).status_code == 200
    assert len(speech.received[0].body["file"]) == ROOM
    with contextlib.suppress(httpx.WriteError):  # the gateway does not read on
        refused = send(client, b"x" * (ROOM + 1), in_pieces)
        assert refused.status_code == 413
        assert refused.json()["error"]["code"] == "request_too_large"
    assert len(speech.received) == 1


def test_an_upload_of_100_mb_is_413_before_it_is_read(gateway: Gateway) -> None:
    with connect(gateway, 100_000_000) as connection:  # and not one byte of the body
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "request_too_large" in answer


def test_the_file_may_come_before_the_fields(client: httpx.Client, speech: OpenAIStub) -> None:
    file, _, rest = (HEAD + b"RIFF" + TAIL).partition(b"\r\n--b\r\n")[::-1]
    body = b"--b\r\n" + file.removesuffix(TAIL) + b"\r\n" + rest + TAIL
    answer = client.post(HEAR, content=body, headers={"content-type": FORM})
    assert answer.status_code == 200, answer.text
    written = {"response_format": "verbose_json"}
    assert speech.received[0].body == {"model": "Systran/small", **written, "file": b"RIFF"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("späße 🎤.wav", "späße.wav"),
        ("../../etc/passwd", "....etcpasswd"),
        ('a"; name="model.wav', "a22name22model.wav"),
        ("a\r\nX-Evil: yes.wav", "a0D0AX-Evilyes.wav"),
        ("x" * 300 + ".mp3", "x" * 76 + ".mp3"),
        ("🎤", "audio"),
    ],
    ids=["unicode", "path", "quotes", "line-break", "long", "nothing-left"],
)
def test_a_files_name_keeps_what_engines_read_of_it(
    client: httpx.Client, speech: OpenAIStub, name: str, seen: str
) -> None:
    files = {"file": (name, b"RIFF", "audio/wav")}
    answer = client.post(HEAR, data={"model": "whisper"}, files=files)
    assert answer.status_code == 200, answer.text
    assert speech.received[0].filename == seen


def test_clients_that_leave_half_way_through_their_upload_free_its_place(
    gateway: Gateway, speech: OpenAIStub
) -> None:
    known = len(gateway.lines)
    for _ in range(PLACES + 1):
        with connect(gateway, LIMIT_BYTES) as connection:
            connection.sendall(HEAD + b"x" * (LIMIT_BYTES // 2))

    def left() -> list[Any]:
        return [line["status"] for line in gateway.lines[known:]]

    until(lambda: left() == [499] * (PLACES + 1), LIMIT_S, lambda: f"{left()}")
    assert not speech.received


def test_trickling_uploads_of_one_application_leave_places_for_another(
    gateway: Gateway, client: httpx.Client
) -> None:
    with contextlib.ExitStack() as trickling:
        for _ in range(PLACES):
            connection = trickling.enter_context(connect(gateway, LIMIT_BYTES))
            connection.sendall(HEAD + b"x")
        until(lambda: in_flight(gateway) == PLACES, LIMIT_S, lambda: f"{in_flight(gateway)}")
        key = {"authorization": "Bearer sk-synapse-voice"}
        body = HEAD + b"RIFF" + TAIL
        answer = client.post(HEAR, content=body, headers={"content-type": FORM, **key})
        assert answer.status_code == 200
        assert gateway.line_of(answer.headers["x-request-id"])["waited_s"] < 1
    until(lambda: in_flight(gateway) == 0, LIMIT_S, lambda: f"{in_flight(gateway)}")


def in_flight(gateway: Gateway) -> float:
    return gateway.metric("synapse_gateway_requests_in_flight", app="free")


@pytest.mark.parametrize("sent", [0, LIMIT_BYTES // 2], ids=["head", "half"])
def test_clients_that_leave_while_they_wait_for_a_place_are_forgotten(
    gateway: Gateway, client: httpx.Client, sent: int
) -> None:
    def waiting() -> float:
        return gateway.metric("synapse_gateway_upload_queue_length")

    with contextlib.ExitStack() as trickling:
        for _ in range(PLACES):
            connection = trickling.enter_context(connect(gateway, LIMIT_BYTES))
            connection.sendall(HEAD + b"x")
        until(lambda: waiting() > 0, LIMIT_S, lambda: "nobody waits")
        before = waiting()
        with connect(gateway, LIMIT_BYTES) as leaving:
            leaving.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                leaving.sendall(HEAD + b"x" * sent)
            until(lambda: waiting() == before + 1, LIMIT_S, lambda: f"{waiting()} wait")
        until(lambda: waiting() <= before, 3, lambda: f"{waiting()} wait")
    until(lambda: in_flight(gateway) == 0, LIMIT_S, lambda: f"{in_flight(gateway)}")
    assert waiting() == 0


def test_a_full_disk_is_said_in_a_sentence_and_in_the_log(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES // 2, before[1]))
    try:
        answers = [send(client, b"x" * (LIMIT_BYTES - 4096)) for _ in range(3)]
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {
        (503, "30")
    }
    assert answers[0].json()["error"]["code"] == "disk_full"
    line = gateway.line_of(answers[0].headers["x-request-id"])
    assert (line["status"], line["error"], line["app"]) == (503, "disk_full", "free")
    assert not speech.received


@pytest.mark.parametrize("route", ["hear", "say"])
def test_a_client_that_leaves_half_way_through_the_answer_ends_the_engines_work(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub, route: str
) -> None:
    slow = Behaviour(words=tuple("x" * 500), between_tokens_s=0.05)
    speech.behaviours["Systran/small"] = speech.behaviours["piper"] = slow
    asked: dict[str, Any] = {"json": {"model": "piper", "input": "hello"}}
    if route == "hear":
        files = {"file": ("a.wav", b"RIFF", "audio/wav")}
        asked = {"data": {"model": "whisper", "stream": "true"}, "files": files}
    with client.stream("POST", HEAR if route == "hear" else SAY, **asked) as answer:
        next(answer.iter_raw())
    until(lambda: speech.abandoned == 1, LIMIT_S, lambda: "the engine went on")
    assert gateway.line_of(answer.headers["x-request-id"])["status"] == 499


def test_10_000_characters_are_spoken_whole(client: httpx.Client, speech: OpenAIStub) -> None:
    text = "Ein schöner Satz. " * 556
    assert len(text) > 10_000
    assert client.post(SAY, json={"model": "piper", "input": text}).status_code == 200
    assert speech.received[0].body["input"] == text
