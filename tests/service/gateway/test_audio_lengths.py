"""A small body may be hours of work: what is too long is refused before the work begins."""

from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub
from openai_stub.server import DETECTION

HEAR, SAY = "/v1/audio/transcriptions", "/v1/audio/speech"
LIMIT_S = 20
HOURS = 3 * 3600
VOICE = {"authorization": "Bearer sk-synapse-voice"}
TURNS = 2
"""For batch work and long recordings; there is one more for short ones."""


def wav(rate: int, seconds: float) -> bytes:
    """Return a WAV file of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * rate) * 2))
    return out.getvalue()


def flac(seconds: int, rate: int = 8000) -> bytes:
    """Return the head of a FLAC file that says how long it is."""
    facts = rate << 44 | 15 << 36 | seconds * rate
    return b"fLaC\0\0\0\x22" + bytes(10) + facts.to_bytes(8) + bytes(16)


def hear(client: httpx.Client, content: bytes, **more: str) -> httpx.Response:
    """Send a recording of the interactive application."""
    data = {"model": "whisper", **more}
    return client.post(HEAR, data=data, files={"file": ("a", content)}, headers=VOICE)


@pytest.mark.parametrize(
    "content", [flac(HOURS), wav(1, HOURS)], ids=["flac", "one-sample-a-second"]
)
def test_a_recording_that_says_it_takes_hours_reaches_no_engine(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub, content: bytes
) -> None:
    answer = hear(client, content)
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("recording_too_long", "file")
    assert error["message"] == (
        "The recording takes 10800 s; at most 7200 s are heard at once. Send it in parts."
    )
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["app"], line["asked"], line["audio_s"]) == ("voice", "whisper", HOURS)
    assert not speech.received
    assert not speech.detections


def test_a_recording_that_hides_its_length_is_found_out_before_it_is_transcribed(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    stretches = [{"start": 0, "end": 1000}, {"start": HOURS * 1000 - 1000, "end": HOURS * 1000}]
    speech.behaviours[DETECTION] = Behaviour(body=stretches)
    answer = hear(client, flac(1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "recording_too_long")
    assert len(speech.detections) == 1
    assert not speech.received
    assert not cloud.received, "another model could do no more with it"


def test_a_long_recording_that_passes_for_a_command_waits_with_the_long_ones(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    def waiting() -> float:
        name = "synapse_gateway_transcription_queue_length"
        return gateway.metric(name, model="whisper-lonely")

    speech.behaviours["lonely"] = Behaviour(words=tuple("x" * 500), between_tokens_s=0.1)
    data = {"model": "whisper-lonely", "stream": "true"}
    with ThreadPoolExecutor(4) as pool, httpx.Client(base_url=gateway.url) as other:
        streams = [
            client.stream("POST", HEAR, data=data, files={"file": ("a", flac(60))})
            for _ in range(TURNS)
        ]
        reading = [stream.__enter__().iter_lines() for stream in streams]
        for lines in reading:
            next(lines)
        speech.behaviours.clear()
        speech.behaviours[DETECTION] = Behaviour(body=[{"start": 0, "end": 31_000}])
        liar = pool.submit(hear, other, flac(1), model="whisper-lonely")
        until(lambda: len(speech.detections) > TURNS, LIMIT_S, lambda: "not looked for speech")
        until(lambda: waiting() == 1, LIMIT_S, lambda: f"{waiting()} wait")
        speech.behaviours.clear()
        assert hear(other, flac(2), model="whisper-lonely").status_code == 200
        assert waiting() == 1, "the command went before it"
        for stream in streams:
            stream.__exit__(None, None, None)
        assert liar.result().status_code == 200


def test_a_text_that_takes_days_to_speak_reaches_no_engine(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    answer = client.post(SAY, json={"model": "piper", "input": "a" * 20_001})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("invalid_request", "input")
    assert error["message"] == (
        "'input' has 20001 characters; at most 20000 are spoken at once. Send the text in parts."
    )
    assert not speech.received
    assert client.post(SAY, json={"model": "piper", "input": "a" * 20_000}).status_code == 200


def test_only_our_speech_server_is_told_who_asks(
    client: httpx.Client, speech: OpenAIStub, cloud: OpenAIStub
) -> None:
    for model in ("piper", "voice-cloud"):
        assert client.post(SAY, json={"model": model, "input": "hello"}).status_code == 200
    assert hear(client, b"RIFF").status_code == 200
    told, ears = speech.received[0].headers, speech.received[1].headers
    assert (told["x-synapse-app"], told["x-synapse-priority"]) == ("free", "batch")
    assert not [name for name in cloud.received[0].headers if name.startswith("x-synapse")]
    assert not [name for name in ears if name.startswith("x-synapse")]


def test_fields_that_no_engine_is_told_of_are_named(client: httpx.Client) -> None:
    answer = hear(client, b"RIFF", api_base="http://x", diarize="1")
    assert answer.status_code == 200
    assert answer.headers["x-synapse-ignored"] == "api_base, diarize"
