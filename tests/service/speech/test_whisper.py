"""What the fetching program lays down, loaded by the real faster-whisper without a network.

Speaches itself cannot run here; this is the library in it that reads the store.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from faster_whisper.tokenizer import _LANGUAGE_CODES
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

import whisper_model
from gateway_process import environment
from model_hub import Hub
from synapse_cli.speech import voice
from synapse_deploy.catalogue.speech_rules import WHISPER_3
from synapse_gateway.audio.speech_detection import FIELDS

from .volume import LIMIT_S, Fetching

NAME = "owner/whisper"
HEAR = """
import sys
import numpy
from faster_whisper import BatchedInferencePipeline, WhisperModel

heard = BatchedInferencePipeline(WhisperModel(sys.argv[1], device="cpu", compute_type="int8"))
sound = numpy.random.default_rng(0).standard_normal(16_000 * int(sys.argv[2])) * float(sys.argv[3])
segments, told = heard.transcribe(sound.astype("float32"), language="en", vad_filter=False)
print(len(list(segments)) > 0, told.duration)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face home with one model that was fetched; the hub is gone again."""
    folder = tmp_path_factory.mktemp("home")
    whisper_model.make(folder / "made")
    hub = Hub()
    hub.repositories[NAME] = {file.name: file.read_bytes() for file in (folder / "made").iterdir()}
    try:
        fetching = Fetching(hub, folder)
        fetching.run("models", NAME)
        assert fetching.reasons() == {}
    finally:
        hub.close()
    return folder


def hear(home: Path, seconds: int, loudness: float) -> subprocess.CompletedProcess[str]:
    """Have the model hear noise of that length, as Speaches asks for it."""
    return subprocess.run(
        [sys.executable, "-c", HEAR, NAME, str(seconds), str(loudness)],
        env=environment(HF_HOME=str(home), HF_HUB_OFFLINE="1", HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def speech_in(sound: NDArray[np.float32], threshold: float) -> list[dict[str, int]]:
    """Where somebody speaks, as Speaches looks for it when the gateway asks."""
    options = VadOptions(threshold=threshold, min_silence_duration_ms=1000, speech_pad_ms=0)
    return list(get_speech_timestamps(sound, options))


def test_a_fetched_model_is_loaded_and_hears_without_a_network(home: Path) -> None:
    ran = hear(home, seconds=1, loudness=0.1)
    assert ran.stdout.split() == ["True", "1.0"], ran.stderr


def test_long_silence_fails_which_is_why_the_gateway_asks_for_speech_first(home: Path) -> None:
    ran = hear(home, seconds=31, loudness=0)
    assert ran.returncode == 1


@pytest.mark.parametrize("loudness", [0, 0.003, 0.2])
@pytest.mark.parametrize("seconds", [1, 31])
def test_the_detector_finds_no_speech_in_silence_and_noise(seconds: int, loudness: float) -> None:
    noise = np.random.default_rng(0).standard_normal(16_000 * seconds) * loudness
    assert speech_in(noise.astype(np.float32), float(dict(FIELDS)["threshold"])) == []


def test_the_detector_finds_speech_in_the_request_of_the_health_table() -> None:
    sound = decode_audio(io.BytesIO(voice()), sampling_rate=16_000)
    assert speech_in(sound, 0.9), "make test-health DEEP=1 would ask the detector alone"


def test_the_catalogue_knows_the_languages_that_whisper_knows() -> None:
    assert set(WHISPER_3) == set(_LANGUAGE_CODES)
