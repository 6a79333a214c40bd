"""Memory is held from before a body is read until its request ends, and nobody takes all of it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from synapse_common.bodies.budget import MIB, OWN_MIB, SMALL, Budget, room


class FullError(Exception):
    """There is no room."""


@pytest.fixture
def budget() -> Budget:
    return Budget(room(1024), FullError)


def test_it_is_made_of_the_pods_memory(budget: Budget) -> None:
    assert budget.total == (768 - OWN_MIB) * MIB


def test_everything_is_given_back_whatever_happens(budget: Budget) -> None:
    def fails() -> None:
        with budget.held_by("a") as held:
            held.reach(5 * MIB)
            held.reach(3 * MIB)
            held.add(MIB)
            assert budget.used == held.size == 6 * MIB
            held.keep(2 * MIB)
            assert budget.used == 2 * MIB
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert budget.used == 0


def test_a_refused_request_holds_what_it_held(budget: Budget) -> None:
    with budget.held_by("a") as held:
        held.reach(MIB)
        with pytest.raises(FullError):
            held.reach(budget.total)
        assert budget.used == held.size == MIB
    assert budget.used == 0


def test_an_application_leaves_half_to_the_others(budget: Budget) -> None:
    with ExitStack() as stack:
        stack.enter_context(budget.held_by("a")).reach(budget.total // 2 - MIB)
        more = stack.enter_context(budget.held_by("a"))
        with pytest.raises(FullError):
            more.reach(2 * MIB)
        stack.enter_context(budget.held_by("b")).reach(100 * MIB)


def test_one_request_alone_may_take_more(budget: Budget) -> None:
    with budget.held_by("a") as held:
        held.reach(budget.total * 3 // 4)


def test_small_requests_find_room_when_large_ones_fill_it(budget: Budget) -> None:
    with ExitStack() as stack:
        for number in range(budget.total * 7 // 8 // (20 * MIB)):
            stack.enter_context(budget.held_by(f"large-{number}")).reach(20 * MIB)
        with pytest.raises(FullError):
            stack.enter_context(budget.held_by("one-more")).reach(20 * MIB)
        for number in range(40):
            stack.enter_context(budget.held_by(f"small-{number}")).reach(SMALL)
