"""Many at once, very long texts, clients that leave in the middle, and what the metrics count."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster

from .conftest import eventually, log_line, log_lines
from .metrics import metric
from .recordings import SENTENCE, spoken, understood

TEN = 10
RECORDINGS, TURNS = 8, 2
"""As many as one application may hold of 16 places; one turn of the testbed, and that for short
recordings."""
LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
SENTENCES = 160
LONG_TEXT = f"{SENTENCE} " * SENTENCES
HEAR, SPEAK = "/v1/audio/transcriptions", "/v1/audio/speech"
SPEECH = {"model": "tts-1", "voice": "alloy", "response_format": "pcm"}
SECOND_BYTES = 2 * 24_000


class GoneError(Exception):
    """The client has had enough."""


def hear(http: httpx.Client, recording: bytes, timeout: httpx.Timeout | float) -> httpx.Response:
    files = {"file": ("say.wav", recording)}
    return http.post(HEAR, data={"model": "whisper-1"}, files=files, timeout=timeout)


def left(cluster: Cluster, kind: str) -> set[str]:
    """Return the requests of a kind whose clients did not wait, by their log lines."""
    lines = log_lines(cluster)
    return {line["request_id"] for line in lines if (line["kind"], line["status"]) == (kind, 499)}


def test_recordings_at_once_are_heard_in_the_order_in_which_they_came(
    http: httpx.Client, cluster: Cluster, wav: bytes
) -> None:
    def all_in_line() -> bool:
        waiting = metric(
            cluster, "gateway", "synapse_gateway_transcription_queue_length", model="listener"
        )
        in_flight = metric(cluster, "gateway", "synapse_gateway_requests_in_flight")
        done = sum(each.done() for each in asked)
        return min(in_flight, waiting + TURNS) + done >= len(asked)

    asked: list[Future[httpx.Response]] = []
    with ThreadPoolExecutor(RECORDINGS) as clients:
        for _ in range(RECORDINGS):
            asked.append(clients.submit(hear, http, wav, LIMIT_S))
            eventually(all_in_line, LIMIT_S, "the latest recording in line")
        answers = [each.result() for each in asked]
    assert [answer.status_code for answer in answers] == [200] * RECORDINGS
    assert all(understood(answer.json()["text"]) for answer in answers)
    came = [answer.headers["x-request-id"] for answer in answers]
    log_line(cluster, came[-1])
    ended = [line["request_id"] for line in log_lines(cluster) if line["request_id"] in came]
    assert sorted(ended) == sorted(came)
    # Of two that are heard at once, the later one may end first.
    late = [abs(ended.index(request) - place) for place, request in enumerate(came)]
    assert max(late) < TURNS, late


def test_ten_texts_at_once_are_all_spoken(http: httpx.Client) -> None:
    body = SPEECH | {"input": f"{SENTENCE} " * 5}
    with ThreadPoolExecutor(TEN) as clients:
        asked = [clients.submit(http.post, SPEAK, json=body, timeout=LIMIT_S) for _ in range(TEN)]
        answers = [each.result() for each in asked]
    assert [answer.status_code for answer in answers] == [200] * TEN
    sizes = sorted(len(answer.content) for answer in answers)  # a voice never speaks twice alike
    assert 5 * SECOND_BYTES < sizes[0] <= sizes[-1] < 15 * SECOND_BYTES, sizes


@pytest.mark.timeout(300)
def test_a_text_of_five_minutes_is_spoken_to_its_end(jarvis: openai.OpenAI) -> None:
    with jarvis.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=LONG_TEXT, response_format="pcm", timeout=LIMIT_S
    ) as answer:
        pieces = [len(piece) for piece in answer.iter_bytes()]
    assert len(pieces) > SENTENCES
    one = len(spoken(jarvis, kind="pcm"))
    assert 0.8 * one * SENTENCES < sum(pieces) < 1.6 * one * SENTENCES


def test_speech_stops_when_its_client_leaves(
    jarvis: openai.OpenAI, http: httpx.Client, cluster: Cluster
) -> None:
    before = metric(cluster, "piper", "synapse_speech_sentences_total")
    with http.stream("POST", SPEAK, json=SPEECH | {"input": LONG_TEXT}) as answer:
        next(answer.iter_raw())
    assert log_line(cluster, answer.headers["x-request-id"])["status"] == 499
    eventually(
        lambda: metric(cluster, "piper", "synapse_speech_requests_in_flight") == 0,
        STOP_LIMIT_S,
        "nobody left at the speech server",
    )
    said = metric(cluster, "piper", "synapse_speech_sentences_total") - before
    assert 0 < said < SENTENCES / 2
    assert spoken(jarvis)


def test_a_client_that_leaves_in_its_upload_is_forgotten(
    http: httpx.Client, cluster: Cluster, wav: bytes
) -> None:
    def half() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        yield bytes(2 * 1024**2)
        raise GoneError

    before = left(cluster, "transcription")
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": "9000000"}
    with pytest.raises(GoneError):
        http.post(HEAR, content=half(), headers=headers)
    eventually(
        lambda: left(cluster, "transcription") - before,
        STOP_LIMIT_S,
        "a log line about the client that left",
    )
    assert metric(cluster, "gateway", "synapse_gateway_requests_in_flight") == 0
    assert hear(http, wav, LIMIT_S).status_code == 200


def test_a_client_that_does_not_wait_for_its_transcript_is_forgotten(
    jarvis: openai.OpenAI, http: httpx.Client, cluster: Cluster, wav: bytes
) -> None:
    recording = spoken(jarvis, f"{SENTENCE} " * 10)
    before = left(cluster, "transcription")
    with pytest.raises(httpx.ReadTimeout):
        hear(http, recording, httpx.Timeout(LIMIT_S, read=0.2))
    eventually(
        lambda: left(cluster, "transcription") - before,
        STOP_LIMIT_S,
        "a log line about the client that left",
    )
    assert hear(http, wav, LIMIT_S).status_code == 200


@pytest.mark.parametrize(
    ("series", "model"),
    [
        ("synapse_gateway_time_to_first_audio_byte_seconds_count", "speaker"),
        ("synapse_gateway_audio_real_time_factor_count", "speaker"),
        ("synapse_gateway_audio_real_time_factor_count", "listener"),
    ],
)
def test_every_request_is_measured(
    http: httpx.Client, cluster: Cluster, wav: bytes, series: str, model: str
) -> None:
    labels = {"app": "jarvis-cortex", "model": model}
    before = metric(cluster, "gateway", series, **labels)
    assert http.post(SPEAK, json=SPEECH | {"input": SENTENCE}).status_code == 200
    assert hear(http, wav, LIMIT_S).status_code == 200
    assert metric(cluster, "gateway", series, **labels) == before + 1
