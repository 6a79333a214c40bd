"""The arbiter's page names every key, error and metric there is."""

import re
from pathlib import Path

import pytest

from synapse_arbiter.config import (
    App,
    Gpu,
    Limits,
    Model,
    Recycle,
    Settings,
)
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.policy.types import Rules
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.protocol import ARBITER_STATUS

PAGE = (Path(__file__).parents[3] / "docs/arbiter.md").read_text()
NAMED = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
KEYS = {
    name
    for kind in (Settings, Model, App, Gpu, Limits, Recycle, Rules)
    for name in kind.model_fields
}
SERIES = {
    metric.name.removeprefix("synapse_arbiter_") + ("_total" if metric.type == "counter" else "")
    for metric in Metrics().registry.collect()
}


@pytest.mark.parametrize("name", sorted(KEYS | set(ARBITER_STATUS) | SERIES | set(ENDPOINTS)))
def test_the_page_names(name: str) -> None:
    assert name in NAMED
