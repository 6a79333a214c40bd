"""The simulator of Speaches answers as 0.9.0-rc.3 did when it was run with the same model."""

import io
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import real_speech
from real_speech import MODEL

HEAR, STRETCHES = "/v1/audio/transcriptions", "/v1/audio/speech/timestamps"
SENTENCE = "The cat sat on the mat."
# Whisper rounds as the processor does: on some of them the cat set on the mat.
ALIKE = {SENTENCE.lower(), SENTENCE.lower().replace("sat", "set")}
RATE, LIMIT_S, KEEP_S = 16_000, 60, 2
ONCE = httpx.Limits(max_keepalive_connections=0)
BROKEN_CARD = "---\ntags: [one\n---\n"
OTHER_CARD = "---\nlibrary_name: transformers\ntags: [automatic-speech-recognition]\n---\n"


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with the models of the testbed."""
    folder = tmp_path_factory.mktemp("volume")
    assert real_speech.fetch(folder) == ""
    return folder


@pytest.fixture(scope="module")
def said(volume: Path) -> bytes:
    """One sentence, as the real voice says it."""
    body = {"model": "speaker", "voice": "alloy", "input": SENTENCE, "response_format": "wav"}
    with real_speech.speaking(volume) as server:
        return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=LIMIT_S).content


@pytest.fixture(scope="module")
def client(volume: Path) -> Iterator[httpx.Client]:
    """A client of the simulator."""
    with (
        real_speech.speaches(volume, STT_MODEL_TTL=str(KEEP_S)) as server,
        # After an error that nobody thought of the server closes the connection.
        httpx.Client(base_url=server.url, timeout=LIMIT_S, limits=ONCE) as made,
    ):
        yield made


def silence(length_s: float) -> bytes:
    """Return a recording of nothing."""
    out = io.BytesIO()
    with wave.open(out, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(RATE)
        audio.writeframes(bytes(int(length_s * RATE) * 2))
    return out.getvalue()


def hear(client: httpx.Client, recording: bytes, kind: str = "audio/wav", **asked: Any) -> Any:
    """Upload a recording."""
    files = {"file": ("x.wav", recording, kind)}
    return client.post(HEAR, data={"model": MODEL, **asked}, files=files)


def text(answer: httpx.Response) -> str:
    """Return a transcript in small letters."""
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"]).lower()


def test_what_is_said_is_understood(client: httpx.Client, said: bytes) -> None:
    answer = hear(client, said)
    assert text(answer) in ALIKE
    assert set(answer.json()) == {"text", "logprobs", "usage"}


@pytest.mark.parametrize(
    ("form", "kind", "holds"),
    [
        ("text", "text/plain", lambda body: body.lower() in ALIKE),
        ("srt", "text/plain", lambda body: body.startswith("1\n00:00:00,")),
        ("vtt", "text/vtt", lambda body: body.startswith("WEBVTT\n\n00:00:00.000 --> ")),
    ],
)
def test_every_form_of_a_transcript(
    client: httpx.Client, said: bytes, form: str, kind: str, holds: Callable[[str], bool]
) -> None:
    answer = hear(client, said, response_format=form)
    assert answer.headers["content-type"].startswith(kind)
    assert holds(answer.text), answer.text


def test_words_have_times_where_they_are_asked_for(client: httpx.Client, said: bytes) -> None:
    plain = hear(client, said, response_format="verbose_json").json()
    assert (plain["language"], plain["words"]) == ("en", None)
    timed: dict[str, Any] = {
        "response_format": "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
    }
    told = hear(client, said, **timed).json()
    words = [word["word"].strip().lower() for word in told["words"]]
    assert " ".join(words) in ALIKE
    assert 0 <= told["words"][0]["start"] < told["words"][-1]["end"] <= told["duration"] + 0.1
    assert {"avg_logprob", "no_speech_prob", "tokens", "seek"} < told["segments"][0].keys()


def test_a_stream_ends_with_an_event_without_text(client: httpx.Client, said: bytes) -> None:
    answer = hear(client, said, stream="1")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, *_, last, rest = answer.text.split("\n\n")
    assert '"transcript.text.delta"' in first
    assert '"transcript.text.done", "text": ""' in last
    assert rest == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"language": ""}, {"language": "auto"}, {"language": "xx"}, {"language": "en"},
        {"temperature": ""}, {"prompt": ""}, {"response_format": ""}, {"stream": ""},
        {"timestamp_granularities[]": ["segment", "word"]}, {"timestamp_granularities": "nobody"},
        {"hotwords": "cat"}, {"unknown": "field"}, {"temperature": "1e-3"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_taken(client: httpx.Client, said: bytes, fields: dict[str, Any]) -> None:
    assert "cat" in text(hear(client, said, **fields))


@pytest.mark.parametrize(
    ("fields", "status", "names"),
    [
        ({"response_format": "pdf"}, 422, "response_format"),
        ({"temperature": "warm"}, 422, "temperature"),
        ({"stream": "perhaps"}, 422, "stream"),
        ({"model": ""}, 422, "model"),
        ({"model": "owner/unknown"}, 404, "'owner/unknown' is not installed locally"),
    ],
)
def test_what_is_refused_by_name(
    client: httpx.Client, said: bytes, fields: dict[str, str], status: int, names: str
) -> None:
    answer = hear(client, said, **fields)
    assert answer.status_code == status
    assert names in str(answer.json()["detail"])


def test_a_form_without_a_recording_is_refused(client: httpx.Client) -> None:
    answer = client.post(HEAR, files={"model": (None, MODEL)})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "file"]


@pytest.mark.parametrize(
    ("recording", "status"),
    [(b"This is a text.", 415), (b"", 415), (silence(0), 500)],
)
def test_what_is_no_sound_is_told_apart(
    client: httpx.Client, recording: bytes, status: int
) -> None:
    answer = hear(client, recording)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith("Failed to decode audio.")


def test_raw_samples_are_taken_by_their_type(client: httpx.Client, said: bytes) -> None:
    with wave.open(io.BytesIO(said)) as audio:
        samples = np.frombuffer(audio.readframes(audio.getnframes()), dtype=np.int16)
        times = np.arange(0, samples.size, audio.getframerate() / RATE)
    raw = np.interp(times, np.arange(samples.size), samples).astype(np.int16).tobytes()
    assert "cat" in text(hear(client, raw, kind="audio/pcm"))


@pytest.mark.parametrize("fields", [{}, {"response_format": "vtt"}, {"model": MODEL}], ids=str)
def test_half_a_minute_without_a_voice_is_an_error_nobody_thought_of(
    client: httpx.Client, fields: dict[str, str]
) -> None:
    answer = hear(client, silence(31), **fields)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_stream_of_it_breaks_off_after_it_has_begun(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        hear(client, silence(31), stream="true")


def test_less_of_it_is_heard_all_the_same(client: httpx.Client) -> None:
    assert text(hear(client, silence(5))), "Whisper makes words up, and Speaches lets it"


def test_a_wrong_granularity_is_an_error_nobody_thought_of(
    client: httpx.Client, said: bytes
) -> None:
    answer = hear(client, said, **{"timestamp_granularities[]": "letter"})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


def test_stretches_with_a_voice_are_told_in_milliseconds(client: httpx.Client, said: bytes) -> None:
    for recording, count in ((silence(40), 0), (said, 1)):
        answer = client.post(STRETCHES, files={"file": ("x.wav", recording)})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) == count
    (stretch,) = answer.json()
    assert 0 <= stretch["start"] < 1000 < stretch["end"] < 4000
    assert client.post(STRETCHES, data={"model": "v9"}, files={"file": said}).status_code == 500


def test_a_translation_has_fewer_fields(client: httpx.Client, said: bytes) -> None:
    files = {"file": ("x.wav", said)}
    answer = client.post("/v1/audio/translations", data={"model": MODEL}, files=files)
    assert text(answer) in ALIKE
    assert set(answer.json()) == {"text"}


def test_two_at_once_are_both_understood(client: httpx.Client, said: bytes) -> None:
    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(lambda _: text(hear(client, said)), range(2)))
    assert set(heard) <= ALIKE


def test_a_model_leaves_the_memory_when_nobody_asks(client: httpx.Client, said: bytes) -> None:
    hear(client, said)
    assert client.get("/api/ps").json() == {"models": [MODEL]}
    deadline_s = time.monotonic() + LIMIT_S
    while client.get("/api/ps").json() != {"models": []}:
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
    assert "cat" in text(hear(client, said))


def test_only_models_with_a_card_of_their_kind_are_listed(volume: Path, tmp_path: Path) -> None:
    hub = tmp_path / "huggingface/hub"
    shutil.copytree(volume / "huggingface", tmp_path / "huggingface", symlinks=True)
    for name, card in {"other": OTHER_CARD, "cardless": None, "broken": BROKEN_CARD}.items():
        snapshot = hub / f"models--owner--{name}/snapshots/1"
        snapshot.mkdir(parents=True)
        (snapshot / "model.bin").write_text("x")
        if card and name != "broken":
            (snapshot / "README.md").write_text(card)
    with real_speech.speaches(tmp_path) as server:
        told = httpx.get(f"{server.url}/v1/models").json()
        assert [(model["id"], model["task"]) for model in told["data"]] == [
            (MODEL, "automatic-speech-recognition")
        ]
        with httpx.Client(base_url=server.url, timeout=LIMIT_S) as client:
            statuses = {
                name: hear(client, silence(1), model=f"owner/{name}").status_code
                for name in ("other", "cardless")
            }
        assert statuses == {"other": 404, "cardless": 500}
        (hub / "models--owner--broken/snapshots/1/README.md").write_text(BROKEN_CARD)
        answer = httpx.get(f"{server.url}/v1/models")
        assert (answer.status_code, answer.text) == (500, "Internal Server Error")
