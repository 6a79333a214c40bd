"""One list of the voices that an application may speak with."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

VOICES = "/v1/audio/voices"
MODELS = "/v1/audio/models"


def as_app(gateway: Gateway, app: str, path: str = VOICES) -> httpx.Response:
    return httpx.get(gateway.url + path, headers={"authorization": f"Bearer sk-synapse-{app}"})


def names(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(voice["model"], voice["name"]) for voice in answer.json()["data"]}


def test_every_voice_is_told_with_its_model_and_language(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    answer = client.get(VOICES)
    listed: dict[str, Any] = answer.json()
    assert (listed["object"], listed["unavailable"]) == ("list", [])
    assert listed["voices"] == listed["data"], "Open WebUI reads this key, with id and name"
    assert listed["data"][1] == {
        "id": "thorsten",
        "object": "voice",
        "name": "thorsten",
        "model": "piper",
        "language": "de-DE",
    }
    both = {"piper", "piper-lonely"}
    assert names(answer) == {(model, voice) for model in both for voice in ("alloy", "thorsten")}
    assert client.get("/audio/voices").json() == listed
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["app"], line["path"], line["status"]) == ("free", VOICES, 200)
    series = {"app": "free", "route": VOICES, "status": "200"}
    assert gateway.metric("synapse_gateway_requests_total", **series) > 0


def test_an_application_sees_the_voices_of_its_own_models(
    gateway: Gateway, speech: OpenAIStub
) -> None:
    assert as_app(gateway, "narrow").json()["data"] == []
    assert {model for model, _ in names(as_app(gateway, "talker"))} == {"piper-lonely"}
    assert as_app(gateway, "talker").status_code == 200
    limited = as_app(gateway, "talker")
    assert (limited.status_code, limited.json()["error"]["code"]) == (429, "rate_limit_exceeded")


def test_the_models_that_speak_are_those_the_application_may_ask(
    gateway: Gateway, client: httpx.Client
) -> None:
    listed = client.get(MODELS).json()
    assert [model["id"] for model in listed["models"]] == [
        "piper", "piper-lonely", "tts-1", "voice-cloud",
    ]  # fmt: skip
    assert (listed["object"], listed["data"]) == ("list", listed["models"])
    assert client.get("/audio/models").json() == listed
    assert as_app(gateway, "narrow", MODELS).json()["models"] == []
    assert {each["id"] for each in as_app(gateway, "talker", MODELS).json()["models"]} == {
        "piper-lonely", "tts-1",
    }  # fmt: skip
    assert client.post(MODELS, json={}).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("trouble", ["hangs", "fails", "down"])
def test_models_whose_engine_does_not_answer_are_named(
    client: httpx.Client, speech: OpenAIStub, trouble: str
) -> None:
    speech.behaviours["voices"] = Behaviour(hangs=trouble == "hangs", status=500)
    if trouble == "down":
        speech.stop()
    answer = client.get(VOICES)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["data"], told["unavailable"]) == ([], ["piper", "piper-lonely"])


def test_only_key_holders_may_ask(gateway: Gateway, client: httpx.Client) -> None:
    assert httpx.get(gateway.url + VOICES).json()["error"]["code"] == "invalid_api_key"
    assert client.post(VOICES, json={}).headers["allow"] == "GET, HEAD"
