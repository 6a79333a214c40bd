"""Limits per application, with time as an argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_common.refusals import Refusal
from synapse_gateway.limits import WINDOW_S, Limits, Meter


def retry_after(refused: pytest.ExceptionInfo[Refusal]) -> str:
    assert refused.value.status == 429
    return refused.value.headers["retry-after"]


def test_requests_over_the_minute_wait_for_the_oldest() -> None:
    meter = Meter(Limits(requests_per_minute=2))
    meter.enter(0)
    meter.enter(10)
    with pytest.raises(Refusal) as refused:
        meter.enter(20)
    assert retry_after(refused) == "40"
    meter.enter(60)
    with pytest.raises(Refusal) as refused:
        meter.enter(61)
    assert retry_after(refused) == "9"


def test_tokens_count_when_they_are_used() -> None:
    meter = Meter(Limits(tokens_per_minute=20))
    meter.enter(0)
    meter.leave(1, 15)
    meter.enter(2)
    meter.leave(3, 15)
    with pytest.raises(Refusal) as refused:
        meter.enter(4)
    assert retry_after(refused) == "57"  # the first 15 leave the window at 61
    meter.enter(61)


def test_no_limits_refuse_nothing() -> None:
    meter = Meter(Limits())
    for _ in range(1000):
        meter.enter(0)
    assert repr(meter) == "<Meter 1000 requests, 0 tokens>"


QUARTERS = st.integers(0, 1200).map(lambda quarters: quarters / 4)


@given(st.lists(QUARTERS, min_size=1, max_size=60).map(sorted), st.integers(1, 5))
def test_no_minute_holds_more_than_its_limit(times: list[float], limit: int) -> None:
    meter = Meter(Limits(requests_per_minute=limit))
    accepted: list[float] = []
    for now in times:
        try:
            meter.enter(now)
        except Refusal as refusal:
            wait = int(refusal.headers["retry-after"])
            assert 1 <= wait <= WINDOW_S
            within = [at for at in accepted if now + wait - WINDOW_S < at]
            assert len(within) < limit, "after the wait there must be room"
        else:
            accepted.append(now)
    for now in accepted:
        assert len([at for at in accepted if now - WINDOW_S < at <= now]) <= limit
