"""A second transcriber or voice takes over, until the first byte has left; after it, it is told."""

from __future__ import annotations

import httpx
import pytest

from gateway_process import Gateway, events
from openai_stub import Behaviour, OpenAIStub
from openai_stub.answers import SPEECH, TRANSCRIPT

HEAR = "/v1/audio/transcriptions"
SAY = "/v1/audio/speech"
RECORDING = b"RIFF-audio\r\n--bytes\x00\xff" * 1000
TEXT = {"model": "piper", "input": "hello"}
DEAD_S = 30  # a dead name server is silent for 60 s; connecting may take 1 s
FIRST = {"hear": "Systran/small", "say": "piper"}
SECOND = {"hear": "whisper-cloud", "say": "voice-cloud"}
TROUBLE: dict[str, Behaviour] = {
    "busy": Behaviour(status=503, retry_after_s=30),
    "failed": Behaviour(status=500),
    "missing": Behaviour(status=404),
    "credentials": Behaviour(status=401),
    "timeout": Behaviour(hangs=True),
    "unreachable": Behaviour(dies_after_words=0),
}
ROUTES = pytest.mark.parametrize("route", ["hear", "say"])


def ask(client: httpx.Client, route: str, **more: str) -> httpx.Response:
    if route == "say":
        return client.post(SAY, json=TEXT)
    files = {"file": ("a.wav", RECORDING, "audio/wav")}
    return client.post(HEAR, data={"model": "whisper", **more}, files=files)


def test_a_name_server_that_does_not_answer_is_told(gateway: Gateway, client: httpx.Client) -> None:
    files = {"file": ("a.wav", RECORDING, "audio/wav")}
    answer = client.post(HEAR, data={"model": "nameless-ears"}, files=files)
    assert answer.status_code == 503
    line = gateway.line_of(answer.headers["x-request-id"])
    assert line["duration_s"] < DEAD_S, "the look for an address is part of connecting"


def is_whole(route: str, answer: httpx.Response) -> bool:
    if route == "say":
        return answer.content == SPEECH + b"Hello from the stub"
    return bool(answer.json()["text"] == TRANSCRIPT)


@ROUTES
@pytest.mark.parametrize("reason", TROUBLE)
def test_the_second_takes_over(
    gateway: Gateway,
    client: httpx.Client,
    speech: OpenAIStub,
    cloud: OpenAIStub,
    route: str,
    reason: str,
) -> None:
    speech.behaviours[FIRST[route]] = TROUBLE[reason]
    answer = ask(client, route)
    assert is_whole(route, answer), answer.text
    assert answer.headers["x-synapse-model"] == SECOND[route]
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["served"], line["reason"]) == (SECOND[route], reason)
    if route == "hear":
        assert cloud.received[0].body["file"] == RECORDING


def test_a_second_that_does_not_know_the_language_is_not_asked(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    speech.behaviours[FIRST["hear"]] = TROUBLE["failed"]
    assert ask(client, "hear", language="en").status_code == 200
    refused = ask(client, "hear", language="de")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_unavailable")
    assert [request.body["language"] for request in cloud.received] == ["en"]


@ROUTES
def test_the_second_takes_over_from_an_engine_that_is_down(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub, route: str
) -> None:
    speech.stop()
    assert is_whole(route, ask(client, route))
    keys = {"hear": None, "say": "Bearer sk-voice"}
    assert cloud.received[0].headers.get("Authorization") == keys[route]


def test_a_transcript_that_dies_after_its_first_event_ends_in_an_error_event(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    speech.behaviours[FIRST["hear"]] = Behaviour(dies_after_words=1)
    *deltas, last = events(ask(client, "hear", stream="true").text)
    assert [event["delta"] for event in deltas] == ["Hello"]
    assert last["error"]["code"] == "answer_interrupted"
    assert not cloud.received


def test_speech_that_dies_after_its_first_byte_breaks_off(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    speech.behaviours[FIRST["say"]] = Behaviour(dies_after_words=1)
    with client.stream("POST", SAY, json=TEXT) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == SPEECH
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    assert gateway.line_of(answer.headers["x-request-id"])["status"] == 502
    assert not cloud.received
