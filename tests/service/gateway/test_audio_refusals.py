"""Whatever is sent as audio, the answer is right or an OpenAI-shaped refusal; the next works."""

from __future__ import annotations

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
SPOKEN = {"model": "piper", "input": "hello"}


@pytest.fixture(autouse=True)
def _the_next_request_works(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> Iterator[None]:
    yield
    speech.reset()
    assert hear(client, b"RIFF").status_code == 200
    until(lambda: not gateway.deleted_files(), LIMIT_S, lambda: str(gateway.deleted_files()))


def hear(client: httpx.Client, content: bytes, **data: Any) -> httpx.Response:
    """Send a recording."""
    files = {"file": ("a.wav", content, "audio/wav")}
    return client.post(HEAR, data={"model": "whisper", **data}, files=files)


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """Assert that the answer is this refusal; return its text."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert "127.0.0.1" not in answer.text
    return str(error["message"])


def test_an_empty_upload_is_400(client: httpx.Client, speech: OpenAIStub) -> None:
    assert "empty" in refused(hear(client, b""), 400, "invalid_request")
    assert not speech.received


NO_FILE = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--b--\r\n'


def form(file: bytes, end: bytes = b"\r\n--b--\r\n", model: bytes = b"whisper") -> bytes:
    """Return a form as a client writes it, or breaks it."""
    head = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + model
    name = b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return head + name + file + end


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"model": "whisper"}', "application/json"),
        (form(b"RIFF"), "multipart/form-data"),
        (form(b"RIFF"), "multipart/form-data; boundary=c"),
        (form(b"RIFF", end=b""), "multipart/form-data; boundary=b"),
        (form(b"RIFF", model=b"x" * 70_000), "multipart/form-data; boundary=b"),
        (form(b"RIFF", end=form(b"RIFF")), "multipart/form-data; boundary=b"),
        (b"", "multipart/form-data; boundary=b"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b"),
        (NO_FILE, "multipart/form-data; boundary=b"),
        (NO_FILE.replace(b"model", b"file"), "multipart/form-data; boundary=b"),
    ],
    ids=[
        "json",
        "no-boundary",
        "other-boundary",
        "cut",
        "long-field",
        "two",
        "nothing",
        "garbage",
        "no-file",
        "file-is-text",
    ],
)
def test_a_broken_form_is_400(
    client: httpx.Client, speech: OpenAIStub, body: bytes, content_type: str
) -> None:
    answer = client.post(HEAR, content=body, headers={"content-type": content_type})
    refused(answer, 400, "invalid_request")
    assert not speech.received


@pytest.mark.parametrize("body", [{}, {"input": ""}, {"input": " \n"}, {"input": 7}])
def test_speech_without_text_is_400(client: httpx.Client, body: dict[str, Any]) -> None:
    refused(client.post(SAY, json={"model": "piper", **body}), 400, "invalid_request")


def test_an_unknown_language_is_400_and_lists_the_known_ones(client: httpx.Client) -> None:
    text = refused(hear(client, b"RIFF", language="tlh"), 400, "unsupported_language")
    assert "en, de" in text
    assert client.get("/v1/models/whisper").json()["languages"] == ["en", "de"]
    assert "languages" not in client.get("/v1/models/whisper-lonely").json()


@pytest.mark.parametrize(
    ("name", "value"),
    [("response_format", "xml"), ("temperature", "warm"), ("timestamp_granularities[]", "letter")],
)
def test_a_field_that_no_engine_understands_reaches_none(
    client: httpx.Client, speech: OpenAIStub, name: str, value: str
) -> None:
    answer = hear(client, b"RIFF", **{name: value})
    refused(answer, 400, "invalid_request")
    assert answer.json()["error"]["param"] == name
    assert not speech.received


def test_engines_are_told_the_code_of_a_language(client: httpx.Client, speech: OpenAIStub) -> None:
    assert hear(client, b"RIFF", language="DE-at").status_code == 200
    assert speech.received[0].body["language"] == "de"


def test_what_an_engine_of_ours_finds_wrong_is_told(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    text = "There is no voice 'nobody'. There is: alloy, nova."
    speech.behaviours["piper"] = Behaviour(status=400, message=text)
    assert refused(client.post(SAY, json=SPOKEN), 400, "invalid_request") == text
    assert not cloud.received, "it would be wrong for the second voice too"


@pytest.mark.parametrize("status", [400, 415, 422, 500])
def test_a_recording_nobody_can_decode_is_400(
    client: httpx.Client, speech: OpenAIStub, status: int
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(status=status, message="Failed to decode audio.")
    assert "decode" in refused(hear(client, b"no sound"), 400, "invalid_request")


def test_addresses_and_a_providers_words_stay_inside(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    speech.behaviours["piper"] = Behaviour(status=400, message="http://10.42.0.7 says no")
    assert "10.42" not in refused(client.post(SAY, json=SPOKEN), 400, "invalid_request")
    cloud.behaviours["voice-cloud-at-provider"] = Behaviour(status=400, message="account 17")
    answer = client.post(SAY, json={**SPOKEN, "model": "voice-cloud"})
    assert "17" not in refused(answer, 400, "invalid_request")


@pytest.mark.parametrize("charset", ["raw_unicode_escape", "undefined", "punycode", "utf-16"])
def test_a_form_in_another_charset_is_400_and_what_it_says_is_in_no_log(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub, charset: str
) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\\u12 secret\xff\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF\r\n--b--\r\n'
    )
    for kind in (f"multipart/form-data; boundary=b; charset={charset}", FORM):
        answer = client.post(HEAR, content=body, headers={"content-type": kind})
        assert "UTF-8" in refused(answer, 400, "invalid_request")
        assert gateway.line_of(answer.headers["x-request-id"])["status"] == 400
    assert "secret" not in str(gateway.lines)
    assert "secret" not in (gateway.folder / "stderr.txt").read_text()
    assert not speech.received
