"""Slow and vanishing clients, in every phase and dialect: places come back, engines are told."""

from __future__ import annotations

import pytest

from abuse import leaving
from abuse.phases import Phase
from abuse.play import HOLDS_S
from abuse.site import Site

PHASES = pytest.mark.parametrize("phase", leaving.PHASES, ids=lambda phase: phase.name)


@PHASES
def test_clients_that_vanish_leave_nothing_behind(site: Site, phase: Phase) -> None:
    assert not leaving.vanish(site, phase).faults


def test_clients_that_stay_are_ended_after_a_while(site: Site) -> None:
    assert not leaving.linger(site, site.settings.total_timeout_s + HOLDS_S).faults
