"""Engines that hang, crawl, lie and die: an error in words, and nobody else notices."""

from __future__ import annotations

import pytest

from abuse import crowds, play
from abuse.site import Site

HUNG_S = 2.0


@pytest.mark.parametrize("engine", play.QUICK)
def test_an_engine_that_lies_or_dies_is_told_in_words(site: Site, engine: str) -> None:
    row = play.engine(site, engine)
    assert not row.faults
    assert row.answered == 0 or engine == play.MANY_EVENTS


@pytest.mark.parametrize(
    ("engine", "stream"),
    [("hangs", False), ("reads_nothing", True), ("falls_silent", True), ("crawls", False)],
)
def test_an_engine_that_hangs_takes_no_place_from_the_others(
    site: Site, engine: str, stream: bool
) -> None:
    assert not crowds.hung(site, engine, stream, HUNG_S).faults
