"""What several tests of waiting share."""

import pytest

from synapse_deploy.kube import wait
from tests.unit.kube.rollouts import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Virtual time for the module under test."""
    clock = Clock()
    monkeypatch.setattr(wait, "time", clock)
    return clock
