"""Home Assistant's two ways through the real bridge: a recording becomes text, text a voice."""

from __future__ import annotations

import io
import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from free_ports import free_ports
from gateway_process import Gateway, until
from openai_stub import Behaviour, OpenAIStub
from openai_stub.answers import TRANSCRIPT
from openai_stub.server import DETECTION
from synapse_common.secrets import BRIDGE_ENTRY
from wyoming_bridge import Bridge, RefusedError, Sound, running

from .conftest import told

PAGE = Path(__file__).parents[3] / "docs/clients/home-assistant.md"
SENTENCES = ["The light in the kitchen is on. ", "The door is ", "shut. It is warm."]
RATE = 16_000
LINES_LIMIT_S = 10
SAID = Sound(RATE, 1, np.arange(RATE, dtype=np.int16).tobytes())


def pitch_hz(sound: Sound) -> float:
    """The frequency of a hum, by where it crosses zero."""
    samples = np.frombuffer(sound.audio, np.int16).astype(np.int32)
    rises = np.count_nonzero((samples[:-1] < 0) & (samples[1:] >= 0))
    return float(rises / sound.seconds)


def new_lines(gateway: Gateway, number: int) -> list[dict[str, Any]]:
    """The gateway's lines about the requests of this test; they come a moment after the answers."""
    until(lambda: len(gateway.lines) >= number, LINES_LIMIT_S, lambda: str(gateway.lines))
    return gateway.lines


async def test_it_offers_the_sites_models_and_voices(bridge: Bridge) -> None:
    info = await bridge.describe()
    (transcriber,) = [model for program in info.asr for model in program.models]
    assert (transcriber.name, transcriber.languages) == ("hear", ["en", "de"])
    (speaker,) = info.tts
    assert [voice.name for voice in speaker.voices] == ["alloy", "thorsten"]
    assert speaker.supports_synthesize_streaming


async def test_a_recording_becomes_text(
    bridge: Bridge, whisper: OpenAIStub, gateway: Gateway
) -> None:
    assert await bridge.transcribe(SAID, language="en") == TRANSCRIPT
    (request,) = whisper.received
    assert request.body["language"] == "en"
    with wave.open(io.BytesIO(request.body["file"])) as sent:
        assert (sent.getframerate(), sent.readframes(RATE)) == (RATE, SAID.audio)
    (line,) = new_lines(gateway, 1)
    assert (line["app"], line["served"], line["status"]) == (BRIDGE_ENTRY, "hear", 200)


@pytest.mark.parametrize(("voice", "hertz"), [("alloy", 220), ("thorsten", 330), (None, 220)])
async def test_text_becomes_a_voice(bridge: Bridge, voice: str | None, hertz: int) -> None:
    sound = await bridge.speak(SENTENCES[0], voice)
    assert sound.channels == 1
    assert sound.seconds > 0.5
    assert pitch_hz(sound) == pytest.approx(hertz, rel=0.05)


async def test_an_answer_is_spoken_while_it_is_still_written(
    bridge: Bridge, gateway: Gateway
) -> None:
    sound = await bridge.speak_pieces(SENTENCES, "alloy")
    lines = new_lines(gateway, 3)
    assert [(line["app"], line["served"], line["status"]) for line in lines] == [
        (BRIDGE_ENTRY, "voice", 200)
    ] * 3
    assert sound.seconds == pytest.approx(sum(line["audio_s"] for line in lines), abs=0.3)
    assert pitch_hz(sound) == pytest.approx(220, rel=0.05)


async def test_silence_is_no_fault(bridge: Bridge, whisper: OpenAIStub) -> None:
    whisper.behaviours[DETECTION] = Behaviour(body=[])
    assert await bridge.transcribe(Sound(RATE, 1, bytes(2 * RATE))) == ""


async def test_an_engine_that_fails_is_told_to_home_assistant(
    bridge: Bridge, whisper: OpenAIStub
) -> None:
    whisper.behaviours["Systran/faster-whisper-small"] = Behaviour(status=500)
    with pytest.raises(RefusedError):
        await bridge.transcribe(SAID)


async def test_a_wrong_key_is_told_and_the_bridge_stays(gateway: Gateway, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    wrong = told(STT_OPENAI_KEY="sk-synapse-x", TTS_OPENAI_KEY="sk-synapse-x")
    with running(tmp_path / "log.txt", wrong, port) as refused:
        for _ in range(2):
            with pytest.raises(RefusedError):
                await refused.transcribe(SAID)
        with pytest.raises(RefusedError):
            await refused.speak(SENTENCES[0])


async def test_the_documents_own_bridge_works(gateway: Gateway, tmp_path: Path) -> None:
    found = re.search(r"^```\n(WYOMING_.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found
    text = found[1].replace("http://forge:8000", gateway.url).replace("-...", "")
    variables = dict(line.split("=", 1) for line in text.splitlines())
    (port,) = free_ports(1)
    with running(tmp_path / "log.txt", variables, port) as bridge:
        assert await bridge.transcribe(SAID, language="en") == TRANSCRIPT
        assert pitch_hz(await bridge.speak(SENTENCES[0])) == pytest.approx(220, rel=0.05)
    assert {line["app"] for line in new_lines(gateway, 2)} == {"voice"}


async def test_it_asks_for_voices_without_its_key_so_it_is_told_them(
    gateway: Gateway, tmp_path: Path
) -> None:
    variables = told(TTS_BACKEND="KOKORO_FASTAPI")
    del variables["TTS_VOICES"]
    (port,) = free_ports(1)
    with (
        pytest.raises(AssertionError, match="401 Unauthorized"),
        running(tmp_path / "log.txt", variables, port),
    ):
        pass
    (line,) = new_lines(gateway, 1)
    assert (line["path"], line["status"]) == ("/v1/audio/voices", 401)
