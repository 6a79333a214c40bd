"""A leak is told from somebody else who uses the GPU."""

from random import Random

import pytest

from synapse_arbiter.engine.leaks import LeakWatch

LIMIT_GIB = 2.0  # as the arbiter has it when nobody says otherwise


def watched(*used_gib: tuple[float, float]) -> float:
    """What is concluded from cycles, each with the GPU's use before and after."""
    watch = LeakWatch()
    for before_gib, after_gib in used_gib:
        watch.add(before_gib, after_gib)
    return watch.leaked_gib


def test_what_rises_in_every_cycle_and_stays_is_a_leak() -> None:
    cycles = [(3.0 + 0.3 * n, 3.3 + 0.3 * n) for n in range(10)]
    assert watched(*cycles) == pytest.approx(2.7, abs=0.01)


def test_two_cycles_prove_nothing() -> None:
    assert watched((3.0, 5.0), (5.0, 7.0)) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_a_desktop_that_goes_up_and_down_is_none(seed: int) -> None:
    random = Random(seed)
    cycles = [(3.0 + random.uniform(0, 0.6), 3.0 + random.uniform(0, 0.6)) for _ in range(500)]
    assert watched(*cycles) < LIMIT_GIB / 2


def test_a_game_that_came_in_one_cycle_and_stayed_is_none() -> None:
    assert watched((3.0, 3.0), (3.0, 15.0), (15.0, 15.0), (15.0, 15.0), (15.0, 15.0)) == 0.0


def test_what_another_engine_leaks_is_not_this_ones() -> None:
    assert watched(*((3.0 + n, 3.0 + n) for n in range(10))) == 0.0


def test_memory_that_came_free_again_is_none() -> None:
    assert watched((5.0, 5.1), (5.1, 5.2), (5.2, 5.3), (3.0, 3.1), (3.1, 3.2), (3.2, 3.3)) == 0.0
