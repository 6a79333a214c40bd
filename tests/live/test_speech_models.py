"""Models and voices come onto the volume while speech goes on, and what cannot be had is named."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest

from synapse_cli.cluster import Cluster

from .deploying import REPOSITORY, catalogue, environment, play, recap, with_catalogue

SPEECH = ("--tags", "speech")
RESTARTED = "kubectl.kubernetes.io/restartedAt"
GONE_MODEL, GONE_VOICE = "simulated/missing-en", "fr_FR-missing-low"
SENTENCE = "The cat sat on the mat."


@pytest.fixture(scope="module", autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the testbed with the catalogue that it came with."""
    yield
    assert play(*SPEECH).returncode == 0


def hearing(name: str, source: str) -> dict[str, str]:
    """A further model that hears."""
    return {"name": name, "engine": "speaches", "source": source}


def with_models(tmp_path: Path, *further: dict[str, str], **voices: str) -> tuple[str, ...]:
    """The arguments that deploy speech with further models, and voices of the speaker."""
    models = catalogue("models")
    speaker = next(model for model in models if model["name"] == "speaker")
    speaker["voices"] |= voices
    return *SPEECH, "-e", with_catalogue(tmp_path, synapse_models=[*models, *further])


def pods(cluster: Cluster) -> set[str]:
    """The speech pods, by what makes each unique."""
    found = cluster.pods("app.kubernetes.io/component=speech")
    return {str(pod.metadata.uid) for pod in found}


def restarted(cluster: Cluster, name: str) -> str | None:
    """When a Deployment was restarted last."""
    found: Any = cluster.apps.read_namespaced_deployment(name, cluster.namespace)
    return (found.spec.template.metadata.annotations or {}).get(RESTARTED)


def say(jarvis: openai.OpenAI) -> bytes:
    """One spoken sentence."""
    return jarvis.audio.speech.create(
        model="tts-1", voice="alloy", input=SENTENCE, response_format="wav"
    ).content


def hear(http: httpx.Client, wav: bytes) -> int:
    """The status of one transcription."""
    files, asked = {"file": ("say.wav", wav)}, {"model": "whisper-1"}
    return http.post("/v1/audio/transcriptions", data=asked, files=files).status_code


@pytest.mark.timeout(600)
def test_what_cannot_be_had_is_named_leaves_the_others_and_is_tried_again(
    cluster: Cluster, http: httpx.Client, jarvis: openai.OpenAI, tmp_path: Path
) -> None:
    before = pods(cluster)
    lost = with_models(tmp_path, hearing("lost", GONE_MODEL), lost=GONE_VOICE)
    preview = play("--check", *lost)
    assert preview.returncode == 0, preview.stdout
    assert {f"would fetch {name}" in preview.stdout for name in (GONE_MODEL, GONE_VOICE)} == {True}
    assert pods(cluster) == before

    run = play(*lost)
    assert run.returncode != 0
    assert f"{GONE_MODEL} is not served: Hugging Face has no such repository" in run.stdout
    assert re.search(rf"{GONE_VOICE} is not served: the repository .* has no ", run.stdout)
    assert not pods(cluster) & before, "both have got a new pod"
    assert hear(http, say(jarvis)) == 200

    tried = pods(cluster)
    again = play(*lost)
    assert again.returncode != 0
    assert f"fetching again what is missing: {GONE_MODEL}" in again.stdout
    assert f"{GONE_VOICE} is not served: " in again.stdout
    assert not pods(cluster) & tried
    assert hear(http, say(jarvis)) == 200

    back = play(*SPEECH)
    assert back.returncode == 0, back.stdout
    when, now = restarted(cluster, "speaches"), pods(cluster)
    assert when
    assert recap(play(*SPEECH))["changed"] == 0
    assert restarted(cluster, "speaches") == when, "an apply leaves the mark of a restart alone"
    assert pods(cluster) == now


@pytest.mark.timeout(600)
def test_a_new_model_takes_no_hearing_away(
    cluster: Cluster, http: httpx.Client, jarvis: openai.OpenAI, tmp_path: Path
) -> None:
    wav = say(jarvis)
    source = f"simulated/slow-{uuid4().hex}"  # the volume may hold those of earlier runs
    added = with_models(tmp_path, hearing("slow", source))
    command = ["ansible-playbook", "site.yml", *added]
    statuses: list[tuple[int, int]] = []
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(), stdout=subprocess.PIPE, text=True
    ) as deployment:
        while deployment.poll() is None:
            found = cluster.pods("app.kubernetes.io/name=speaches")
            statuses.append((len(found), hear(http, wav)))
        assert deployment.stdout is not None
        told = deployment.stdout.read()
    assert deployment.returncode == 0, told
    assert {status for _, status in statuses} == {200}
    assert (2, 200) in statuses, "while the new pod fetched"
    assert re.search(rf"speaches-\S+: {source}: \d+ of 74 MiB, \d+ s", told), told
    assert recap(play(*added))["changed"] == 0


@pytest.mark.timeout(600)
def test_offline_what_is_there_is_served_and_what_is_not_is_named(
    http: httpx.Client, jarvis: openai.OpenAI, tmp_path: Path
) -> None:
    offline = ("-e", '{"speech_offline": true}')
    run = play(*with_models(tmp_path, hearing("new", "simulated/new-en")), *offline)
    assert run.returncode != 0
    assert "simulated/new-en is not served: it is not on the volume" in run.stdout
    assert hear(http, say(jarvis)) == 200
    assert play(*SPEECH, *offline).returncode == 0
