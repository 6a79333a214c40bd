"""What several tests of waiting share."""

import pytest
from tests.unit.kube_objects.rollouts import Clock

import kube_wait


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Virtual time for the module under test."""
    clock = Clock()
    monkeypatch.setattr(kube_wait, "time", clock)
    return clock
