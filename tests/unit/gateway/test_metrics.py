"""What is measured of audio means something."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import Model
from synapse_gateway.metrics import MEANINGFUL_S, Metrics

EARS = Model(
    url="http://engine/v1",
    served_name="served",
    name="ears",
    kind="transcription",
    engine="speaches",
)
LABELS = {"app": "", "model": "ears", "engine": "speaches"}


@pytest.mark.parametrize(
    ("audio_s", "measured"), [(1 / 16_000, 0), (MEANINGFUL_S, 1), (30.0, 1), (None, 0)]
)
def test_a_recording_of_one_sample_has_no_real_time_factor(
    audio_s: float | None, measured: int
) -> None:
    registry = CollectorRegistry()
    record = RequestRecord("POST", "/", kind="transcription", status=200, audio_s=audio_s)
    record.model = EARS
    record.begin(EARS)
    Metrics(registry).count(record)
    factors = "synapse_gateway_audio_real_time_factor_count"
    assert (registry.get_sample_value(factors, LABELS) or 0) == measured
    heard = registry.get_sample_value("synapse_gateway_audio_seconds_total", LABELS)
    assert (heard or 0.0) == (audio_s or 0.0)
