"""Speech becomes exactly so much shorter or longer, and nobody's voice higher or lower."""

from __future__ import annotations

import numpy as np
import pytest

from synapse_speech import tempo

RATE = 22_050
HERTZ = 220
TONE = (np.sin(np.arange(RATE * 2) * 2 * np.pi * HERTZ / RATE) * 20_000).astype(np.int16)


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.9, 1.1, 2.0, 3.0, 4.0])
def test_the_length_is_exact_and_the_pitch_stays(speed: float) -> None:
    made = tempo.at_speed(TONE, RATE, speed)
    assert made.size == round(TONE.size / speed)
    strength = np.abs(np.fft.rfft(made.astype(float)))
    assert np.argmax(strength) * RATE / made.size == pytest.approx(HERTZ, abs=3)
    assert np.count_nonzero(made) > made.size * 0.98


@pytest.mark.parametrize("size", [0, 1, 7, 500])
@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_very_little_is_no_reason_to_fail(size: int, speed: float) -> None:
    assert tempo.at_speed(TONE[:size], RATE, speed).size == round(size / speed)


def test_at_natural_speed_nothing_is_touched() -> None:
    assert np.array_equal(tempo.at_speed(TONE, RATE, 1.0), TONE)
