"""Another model hears or speaks where the one that was asked for cannot."""

import httpx

from synapse_cli.cluster import Cluster

from .conftest import log_line
from .recordings import SENTENCE, seconds, understood


def told(cluster: Cluster, answer: httpx.Response) -> tuple[object, ...]:
    """Return who was asked, who served and why, by the log."""
    line = log_line(cluster, answer.headers["x-request-id"])
    return line["asked"], line["served"], line["fallback"], line["reason"]


def test_another_transcriber_hears_where_a_model_is_lost(
    operator: httpx.Client, cluster: Cluster, wav: bytes
) -> None:
    answer = operator.post(
        "/v1/audio/transcriptions",
        data={"model": "lost-listener"},
        files={"file": ("say.wav", wav)},
    )
    assert answer.status_code == 200, answer.text
    assert understood(answer.json()["text"])
    assert answer.headers["x-synapse-model"] == "listener"
    assert told(cluster, answer) == ("lost-listener", "listener", True, "missing")


def test_another_voice_speaks_where_a_provider_is_down(
    operator: httpx.Client, cluster: Cluster
) -> None:
    body = {"model": "cloud-speaker", "voice": "alloy", "input": SENTENCE}
    answer = operator.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    assert 1 < seconds(answer.content) < 4
    assert answer.headers["x-synapse-model"] == "second-speaker"
    assert told(cluster, answer) == ("cloud-speaker", "second-speaker", True, "unreachable")
