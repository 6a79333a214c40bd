"""The worst bodies, forms and headers that were found: none may cost the others much."""

from __future__ import annotations

import pytest

from abuse import arbitrated, bodies, cases, work
from abuse.cases import AnyShape
from abuse.catalogue import MEMORY_MIB
from abuse.measuring import measure
from abuse.site import Site
from abuse.story import WORK_S


@pytest.mark.parametrize("shape", cases.load(), ids=str)
def test_no_body_costs_the_others_much(site: Site, shape: AnyShape) -> None:
    row = bodies.replay(site, shape.kind, [shape])
    assert not row.faults


def test_a_short_answer_is_measured_as_such(site: Site) -> None:
    cost = measure(site, bodies.plain(1000).request())
    assert (cost.status, cost.lives) == (200, True), cost
    assert cost.answered == cost.asked > 0
    assert cost.longest_work_s < WORK_S * work.slowness()
    assert cost.memory_mib < MEMORY_MIB


def test_no_body_costs_the_others_much_behind_the_arbiter(ports: dict[str, int]) -> None:
    assert not arbitrated.replay(ports).faults
