"""The real voice joe, as its users hear it: its speeds, its silence about symbols, its memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import real_speech
from gateway_process import environment
from synapse_speech import tempo
from synapse_speech.config import files
from synapse_speech.text import speakable
from synapse_speech.voices import LoadedVoice

from .conftest import PATHS

TEXT = (
    "The quick brown fox jumps over the lazy dog. Turn on the kitchen light, please. It will rain "
    "tomorrow, so take an umbrella with you. I have put milk and eggs on your list."
)
RUNS = 3
MEMORY_TIMEOUT_S = 120
LONG = "and then we went on and on along the river until the evening came, " * 6
GROWTH_MIB = 300
"""Two voices with onnxruntime's arena kept 900 MiB more than they were loaded with."""
SPEAK = f"""
import sys
from pathlib import Path
from synapse_speech.config import files
from synapse_speech.voices import LoadedVoice

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

paths = files(Path(sys.argv[1]), {real_speech.VOICE!r})
voices = [LoadedVoice(*paths, 1), LoadedVoice(*paths, 1)]
loaded = resident_mib()
for voice in voices:
    voice.speak(voice.sentences({LONG!r})[0], None)
print(resident_mib() - loaded)
"""


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the voice's two files, brought there as in a pod."""
    folder = tmp_path_factory.mktemp("voices")
    assert real_speech.fetch(folder, models=()) == ""
    return folder / "voices"


@pytest.fixture(scope="module")
def voice(voices: Path) -> LoadedVoice:
    return LoadedVoice(*files(voices, real_speech.VOICE), threads=2)


def length(voice: LoadedVoice, speed: float) -> float:
    """Return how many samples the text takes; Piper chooses a new length every time."""
    spoken = [
        sum(
            tempo.at_speed(voice.speak(part, None), voice.rate, speed).size
            for part in voice.sentences(TEXT)
        )
        for _ in range(RUNS)
    ]
    return float(np.mean(spoken))


def test_every_speed_has_its_length(voice: LoadedVoice) -> None:
    plain = length(voice, 1.0)
    for speed in (0.25, 0.5, 2.0, 4.0):
        assert length(voice, speed) * speed == pytest.approx(plain, rel=0.05), speed


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("## List **Milk**", "list milk"),
        ("Great job 🎉", "great job"),
        ("<b>Dinner</b> is ready", "dinner is ready"),
        ("It costs $500", "it costs five hundred dollars"),
        ("World War II", "world war two"),
        ("Henry VIII", "Henry the eighth"),
        ("$3.50", "three dollars and fifty cents"),
        ("5 km", "five kilometers"),
        ("[[Kitchen light]]", "kitchen light"),
    ],
)
def test_what_is_spoken_is_what_a_person_would_say(
    voice: LoadedVoice, written: str, said: str
) -> None:
    spoken = ["".join(part) for part in voice.sentences(speakable(written, voice.language))]
    assert _sounds(spoken) == _sounds(["".join(part) for part in voice.sentences(said)])


def _sounds(sentences: list[str]) -> str:
    """Return the sounds alone: a number's words are joined and stressed otherwise than a text's."""
    return "".join(sound for sound in "".join(sentences) if sound not in " ˈˌ.,")


def test_lines_without_a_full_stop_are_sentences_of_their_own(voice: LoadedVoice) -> None:
    assert len(voice.sentences(speakable("- Milk\n- Eggs\n- Bread", voice.language))) == 3
    assert len(voice.sentences(speakable("Milk\nEggs\nBread", voice.language))) == 3


def test_a_long_sentence_leaves_no_memory_behind(voices: Path) -> None:
    grown = subprocess.run(
        [sys.executable, "-c", SPEAK, str(voices)],
        env=environment(PYTHONPATH=PATHS),
        capture_output=True, text=True, check=True, timeout=MEMORY_TIMEOUT_S,
    )  # fmt: skip
    assert float(grown.stdout) < GROWTH_MIB
