"""Transcripts, translations and speech, passed on piece by piece."""

from __future__ import annotations

import contextlib
import io
import threading
import wave
from typing import Any

import httpx
import openai
import pytest

from gateway_process import Gateway, events, until
from openai_stub import Behaviour, OpenAIStub
from openai_stub.answers import SPEECH, TRANSCRIPT, TRANSCRIPTS, WORDS

HEAR = "/v1/audio/transcriptions"
SAY = "/v1/audio/speech"
RECORDING = b"RIFF-audio\r\n--bytes\x00\xff" * 1000
GOOD = {"model": "piper", "input": "hello", "voice": "alloy"}
SPOKEN = SPEECH + b"Hello from the stub"
LIMIT_S = 10
RIFF = b"RIFF\x24\x00\x00\x00WAVE"


def hear(client: httpx.Client, model: Any = "whisper", path: Any = HEAR, **data: Any) -> Any:
    """Send a recording."""
    files = {"file": ("a.wav", RECORDING, "audio/wav")}
    return client.post(path, data={"model": model, **data}, files=files)


@pytest.mark.parametrize("path", [HEAR, "/v1/audio/translations"])
def test_a_recording_becomes_text(client: httpx.Client, speech: OpenAIStub, path: str) -> None:
    answer = hear(client, path=path, prompt="names", temperature="0.2", api_base="http://x")
    assert answer.json() == {"text": TRANSCRIPT}, answer.text
    assert answer.headers["x-synapse-model"] == "whisper"
    (request,) = speech.received
    assert request.path == path
    expected = {"model": "Systran/small", "prompt": "names", "temperature": "0.2"}
    written = {"response_format": "verbose_json"}
    assert request.body == {**expected, **written, "file": RECORDING}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_providers_formats_pass_as_they_are(
    client: httpx.Client, cloud: OpenAIStub, name: str
) -> None:
    answer = hear(client, "whisper-cloud", response_format=name)
    kind, text = TRANSCRIPTS[name]
    assert answer.text == text
    assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("text", "text/plain", TRANSCRIPT),
        ("srt", "text/plain", f"1\n00:00:00,000 --> 00:00:01,000\n{TRANSCRIPT}\n\n"),
        ("VTT", "text/vtt", f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{TRANSCRIPT}\n\n"),
    ],
)
def test_the_gateway_writes_every_format_itself(
    client: httpx.Client, speech: OpenAIStub, name: str, kind: str, text: str
) -> None:
    answer = hear(client, response_format=name)
    assert answer.text == text
    assert answer.headers["content-type"].startswith(kind)


def test_words_have_their_times(client: httpx.Client, speech: OpenAIStub) -> None:
    times = {"timestamp_granularities[]": ["word", "segment"]}
    told = hear(client, response_format="verbose_json", **times).json()
    assert told["words"] == [{**word, "word": word["word"].strip()} for word in WORDS]
    assert [segment["text"] for segment in told["segments"]] == [f" {TRANSCRIPT}"]


@pytest.mark.parametrize(("path", "times"), [(HEAR, "word"), ("/v1/audio/translations", None)])
def test_words_have_no_times_where_they_are_translated(
    client: httpx.Client, speech: OpenAIStub, path: str, times: str | None
) -> None:
    told = hear(client, path=path, response_format="verbose_json").json()
    assert "words" not in told, "nobody asked for them"
    assert speech.received[0].body.get("timestamp_granularities[]") == times
    (segment,) = told["segments"]
    assert (segment["start"], segment["end"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("kind", "content", "head"),
    [
        ("audio/pcm", b"\1\2" * 16_000, True),
        ("audio/pcm; rate=24000; channels=2", b"\1\2" * 48_000, True),
        ("audio/raw", RIFF, False),
        ("audio/wav", b"\1\2" * 16_000, False),
    ],
)
def test_bare_samples_become_a_wav_file(
    gateway: Gateway,
    client: httpx.Client,
    speech: OpenAIStub,
    kind: str,
    content: bytes,
    head: bool,
) -> None:
    files = {"file": ("microphone", content, kind)}
    answer = client.post(HEAR, data={"model": "whisper"}, files=files)
    assert answer.status_code == 200, answer.text
    file = speech.received[0].body["file"]
    assert (file == content) is not head
    if head:
        with wave.open(io.BytesIO(file), "rb") as wav:
            assert wav.getnframes() / wav.getframerate() == 1
            assert wav.readframes(wav.getnframes()) == content


def test_samples_of_a_rate_that_is_none_are_refused(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    files = {"file": ("microphone", b"12", "audio/pcm; rate=fast")}
    answer = client.post(HEAR, data={"model": "whisper"}, files=files)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
    assert "audio/pcm; rate=16000" in answer.json()["error"]["message"]


def test_a_transcript_is_streamed_and_its_break_is_told(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    speech.behaviours["Systran/small"] = Behaviour(hangs_after_words=2)
    answer = hear(client, stream="true")
    *deltas, last = events(answer.text)
    assert [event["delta"] for event in deltas] == ["Hello", " from"]
    assert last["error"]["code"] == "answer_interrupted"
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["stream"], line["status"], line["error"]) == (True, 502, "answer_interrupted")


def test_a_whole_streamed_transcript_ends_with_its_text(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    answer = hear(client, stream="true")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert events(answer.text)[-2]["text"] == "Hello from the stub"


def test_a_text_is_spoken(client: httpx.Client, speech: OpenAIStub) -> None:
    answer = client.post(SAY, json={**GOOD, "speed": 1.5, "api_key": "x"})
    assert answer.content == SPOKEN
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["x-synapse-engine"] == "piper"
    assert speech.received[0].body == {**GOOD, "speed": 1.5}
    assert "Authorization" not in speech.received[0].headers


def test_names_are_spelled_as_the_engine_spells_them(
    client: httpx.Client, speech: OpenAIStub
) -> None:
    asked = {"input": "hello", "voice": "THORSTEN", "response_format": "MP3", "instructions": ""}
    assert client.post(SAY, json={"model": "piper", **asked}).status_code == 200
    seen = {"model": "piper", "input": "hello", "voice": "thorsten", "response_format": "mp3"}
    assert speech.received[0].body == seen


def test_speech_arrives_before_it_is_complete_and_never_looks_whole(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    speech.behaviours["piper"] = Behaviour(hangs_after_words=1)
    with client.stream("POST", SAY, json=GOOD) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == SPEECH
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["status"], line["error"]) == (502, "answer_interrupted")


def test_nobody_left_to_ask_is_503_or_504(client: httpx.Client, speech: OpenAIStub) -> None:
    speech.behaviours["piper-lonely"] = Behaviour(status=503, retry_after_s=17)
    answer = client.post(SAY, json={**GOOD, "model": "piper-lonely"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "17")
    speech.behaviours["lonely"] = Behaviour(hangs=True)
    answer = hear(client, "whisper-lonely")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "model_timeout")


def test_one_line_and_the_metrics_tell_of_speech(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    # 44 bytes of header, then samples: 15 bytes here are 0.5 s at 15 samples a second.
    speech.behaviours["piper"] = Behaviour(
        words=("x" * (44 - len(SPEECH)), "y" * 15), headers={"x-synapse-sample-rate": "15"}
    )
    names = {"app": "free", "model": "piper", "engine": "piper"}
    counted = ("time_to_first_audio_byte_seconds", "audio_real_time_factor")
    seconds = gateway.metric("synapse_gateway_audio_seconds_total", **names)
    before = [gateway.metric(f"synapse_gateway_{name}_count", **names) for name in counted]
    answer = client.post(SAY, json=GOOD)
    line = gateway.line_of(answer.headers["x-request-id"])
    exact = {"kind": "speech", "bytes_out": 59, "audio_s": 0.5, "ttft_s": None, "status": 200}
    assert {key: line[key] for key in exact} == exact
    assert 0 < line["first_byte_s"] <= line["duration_s"]
    assert line["bytes_in"] > 0
    assert gateway.metric("synapse_gateway_audio_seconds_total", **names) == seconds + 0.5
    after = [gateway.metric(f"synapse_gateway_{name}_count", **names) for name in counted]
    assert after == [count + 1 for count in before]
    assert gateway.metric(f"synapse_gateway_{counted[1]}_sum", **names) > 0


def test_a_transcript_tells_how_long_the_recording_was(
    gateway: Gateway, client: httpx.Client, speech: OpenAIStub
) -> None:
    answer = hear(client, response_format="verbose_json")
    line = gateway.line_of(answer.headers["x-request-id"])
    assert (line["audio_s"], line["bytes_in"]) == (1.5, len(RECORDING))


@pytest.mark.parametrize("route", ["hear", "say"])
def test_a_client_that_leaves_frees_the_engine(
    gateway: Gateway, speech: OpenAIStub, route: str
) -> None:
    speech.behaviours["lonely"] = speech.behaviours["piper-lonely"] = Behaviour(hangs=True)
    before = len(gateway.lines)

    def leave() -> None:
        key = {"authorization": "Bearer sk-synapse-free"}
        with (
            httpx.Client(base_url=gateway.url, headers=key, timeout=0.7) as client,
            contextlib.suppress(httpx.ReadTimeout),
        ):
            if route == "hear":
                hear(client, "whisper-lonely")
            else:
                client.post(SAY, json={**GOOD, "model": "piper-lonely"})

    thread = threading.Thread(target=leave)
    thread.start()
    until(lambda: speech.abandoned == 1, 1.8, lambda: "the engine went on until its time-out")
    thread.join(LIMIT_S)
    until(lambda: len(gateway.lines) > before, LIMIT_S, lambda: "no line was written")
    assert gateway.lines[-1]["status"] == 499


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_the_python_client_hears_translates_and_speaks(
    gateway: Gateway, speech: OpenAIStub
) -> None:
    url = f"{gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key="sk-synapse-free", max_retries=0) as client:
        file = ("a.wav", RECORDING)
        assert client.audio.transcriptions.create(model="whisper", file=file).text == TRANSCRIPT
        assert client.audio.translations.create(model="whisper", file=file).text == TRANSCRIPT
        srt = client.audio.transcriptions.create(model="whisper", file=file, response_format="srt")
        assert srt.startswith("1\n")
        stream = client.audio.transcriptions.create(model="whisper", file=file, stream=True)
        assert [event.type for event in stream][-1] == "transcript.text.done"
        with client.audio.speech.with_streaming_response.create(
            model="piper", voice="alloy", input="hello", response_format="wav"
        ) as spoken:
            assert b"".join(spoken.iter_bytes()) == SPOKEN
