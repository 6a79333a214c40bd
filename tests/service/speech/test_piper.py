"""The real Piper speaks: formats that can be decoded, voices, speeds, long texts, many at once."""

from __future__ import annotations

import base64
import io
import subprocess
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest
from numpy.typing import NDArray

from gateway_process import environment, events

from .conftest import PATHS, command

SAY = "/v1/audio/speech"
TEXT = "Hello there, my friend. How are you today? I am fine."
PCM_RATE = 24_000
COMPRESSED = {"mp3": "audio/mpeg", "opus": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac"}
LONG = "This is an ordinary sentence with several words in it, and a pause. " * 150
CHECK_TIMEOUT_S = 60


def say(client: httpx.Client, **body: Any) -> httpx.Response:
    """Ask for speech."""
    return client.post(SAY, json={"model": "piper", "input": TEXT, **body})


def decoded(audio: bytes) -> tuple[NDArray[Any], int]:
    """Return samples and rate of an audio file."""
    with av.open(io.BytesIO(audio), "r") as file:
        frames = list(file.decode(audio=0))
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), frames[0].rate


def pitch(samples: NDArray[Any], rate: int) -> float:
    """Return the strongest frequency, in hertz."""
    strength = np.abs(np.fft.rfft(samples.astype(float)))
    return float(np.argmax(strength) * rate / samples.size)


def pcm(answer: httpx.Response) -> NDArray[Any]:
    """Return the samples of an answer in PCM."""
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, dtype="<i2")


@pytest.mark.parametrize("name", ["wav", *COMPRESSED])
def test_a_format_can_be_decoded_and_holds_the_voice(client: httpx.Client, name: str) -> None:
    answer = say(client, response_format=name)
    assert answer.headers["content-type"] == COMPRESSED.get(name, "audio/wav")
    samples, rate = decoded(answer.content)
    expected_s = pcm(say(client, response_format="pcm")).size / PCM_RATE
    assert samples.size / rate == pytest.approx(expected_s, abs=0.1)
    assert pitch(samples, rate) == pytest.approx(220, abs=2)


def test_pcm_has_the_rate_that_openais_clients_expect(client: httpx.Client) -> None:
    answer = say(client, response_format="pcm")
    assert answer.headers["x-synapse-sample-rate"] == str(PCM_RATE)
    assert pitch(pcm(answer), PCM_RATE) == pytest.approx(220, abs=2)


def test_a_short_wav_tells_its_length(client: httpx.Client) -> None:
    answer = say(client, input="Hello.", response_format="wav")
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getnframes() * 2 + 44 == len(answer.content)


def test_mp3_is_what_comes_unasked(client: httpx.Client) -> None:
    assert say(client).headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(
    ("voice", "hertz"),
    [("alloy", 220), ("nova", 330), ("onyx", 660), ("de_DE-hum-low", 330), (None, 220)],
)
def test_every_name_has_its_voice(client: httpx.Client, voice: str | None, hertz: int) -> None:
    samples = pcm(say(client, voice=voice, response_format="pcm"))
    assert pitch(samples, PCM_RATE) == pytest.approx(hertz, abs=2)


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_changes_the_length_and_not_the_voice(client: httpx.Client, speed: float) -> None:
    plain, other = (pcm(say(client, speed=asked, response_format="pcm")) for asked in (1.0, speed))
    assert plain.size / other.size == pytest.approx(speed, rel=0.01)
    assert pitch(other, PCM_RATE) == pytest.approx(220, abs=3)


def test_names_may_be_written_in_large_letters(client: httpx.Client) -> None:
    answer = say(client, voice="NOVA", response_format="PCM")
    assert pitch(pcm(answer), PCM_RATE) == pytest.approx(330, abs=2)


def test_phonemes_of_pipers_own_notation_are_text(client: httpx.Client) -> None:
    bracketed, plain = (
        pcm(say(client, input=text, normalize=False, response_format="pcm"))
        for text in ("[[Kitchen light]]", "Kitchen light")
    )
    assert bracketed.size == plain.size


def test_a_missing_voice_is_400_with_voices_and_languages(client: httpx.Client) -> None:
    answer = say(client, voice="shimmer")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, "voice")
    assert "alloy (en-US), nova (de-DE), onyx (de-DE)" in error["message"]


@pytest.mark.parametrize("voice", ["lost", "torn"])
def test_a_voice_that_could_not_be_had_is_answered_with_those_that_could(
    client: httpx.Client, voice: str
) -> None:
    answer = say(client, voice=voice)
    assert answer.status_code == 400
    assert "alloy (en-US), nova (de-DE), onyx (de-DE)." in answer.json()["error"]["message"]


def test_a_model_without_any_voice_is_503_so_that_another_may_speak(client: httpx.Client) -> None:
    answer = say(client, model="mute")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "voice_missing")
    assert [entry["id"] for entry in client.get("/v1/models").json()["data"]] == ["piper"]


def test_voices_are_listed_with_their_languages(client: httpx.Client) -> None:
    answer = client.get("/v1/audio/voices").json()
    listed = answer["voices"]
    assert answer["data"] == listed, "clients read either key"
    assert [entry["id"] for entry in listed] == [entry["name"] for entry in listed]
    assert {entry["name"]: entry["language"] for entry in listed} == {
        "alloy": "en-US", "nova": "de-DE", "onyx": "de-DE"
    }  # fmt: skip


def test_events_carry_the_same_audio(client: httpx.Client) -> None:
    answer = say(client, stream_format="sse", response_format="pcm")
    *deltas, done = events(answer.text)
    audio = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert len(deltas) >= 3
    assert audio == say(client, response_format="pcm").content
    assert done["type"] == "speech.audio.done"


@pytest.mark.parametrize("text", ["...", "😀", "\0\0", "[[", "1" * 300, "你好。", "a" * 3000])
def test_odd_texts_are_spoken_as_far_as_they_can_be(client: httpx.Client, text: str) -> None:
    answer = say(client, input=text, response_format="wav")
    assert answer.status_code == 200, answer.text
    assert say(client, input="Hello.").status_code == 200


def test_10000_characters_are_spoken_to_their_end(client: httpx.Client) -> None:
    assert len(LONG) > 10_000
    size = 0
    with client.stream("POST", SAY, json={"model": "piper", "input": LONG}) as answer:
        for piece in answer.iter_raw():
            size += len(piece)
    assert answer.status_code == 200
    assert size > 150 * 10_000, "a good second of mp3 for each of 150 sentences"


def test_ten_at_once_are_all_served(client: httpx.Client) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: say(client, response_format="pcm"), range(10)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].status_code == 200


def test_the_metrics_tell_first_byte_factor_queue_and_refusals(
    client: httpx.Client, configuration: dict[str, Any]
) -> None:
    say(client)
    say(client, voice="nobody")
    own = f"http://127.0.0.1:{configuration['settings']['metrics_port']}"
    told = httpx.get(f"{own}/metrics").text
    for series in (
        'time_to_first_audio_byte_seconds_count{model="piper"}',
        'real_time_factor_count{model="piper"}',
        'audio_seconds_total{model="piper"}',
        "requests_in_flight",
        "sentences_waiting",
        'refusals_total{code="unknown_voice"}',
    ):
        assert f"synapse_speech_{series} " in told
    assert client.get("/metrics").status_code == 404


def test_openais_client_streams_speech(server: str) -> None:
    with (
        openai.OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0) as client,
        client.audio.speech.with_streaming_response.create(
            model="piper", voice="alloy", input=TEXT, response_format="opus"
        ) as spoken,
    ):
        samples, rate = decoded(b"".join(spoken.iter_bytes()))
    assert pitch(samples, rate) == pytest.approx(220, abs=2)


def test_a_configuration_that_cannot_be_used_is_said_before_it_is(
    configuration: dict[str, Any], tmp_path: Path
) -> None:
    refused = subprocess.run(
        command(tmp_path, {**configuration, "models": []}),
        env=environment(PYTHONPATH=PATHS),
        capture_output=True, text=True, check=False, timeout=CHECK_TIMEOUT_S,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "models is empty" in refused.stderr
