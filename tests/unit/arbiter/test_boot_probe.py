"""Who waits or downloads is alive however long; who runs must answer; only that is ready."""

from pathlib import Path

import pytest

from boot_probe import (
    PREPARING,
    RUNNING,
    STARTING,
    WAITING,
    judge,
    read,
    tell,
)

LIMIT_S = 1800.0
AGES_S = [0.0, LIMIT_S - 1, 100 * LIMIT_S]


@pytest.mark.parametrize("phase", [PREPARING, WAITING])
@pytest.mark.parametrize("age_s", AGES_S)
def test_downloading_and_waiting_are_alive_for_ever_and_say_so(phase: str, age_s: float) -> None:
    alive, why = judge("alive", phase, age_s, LIMIT_S, lambda _: False)
    assert alive
    assert why == f"The engine is {phase} for {age_s:.0f} s."
    assert not judge("ready", phase, age_s, LIMIT_S, lambda _: True)[0]


@pytest.mark.parametrize("age_s", AGES_S)
def test_starting_is_alive_until_the_boot_takes_too_long(age_s: float) -> None:
    alive, why = judge("alive", STARTING, age_s, LIMIT_S, lambda _: False)
    assert alive == (age_s <= LIMIT_S)
    assert alive or "1800 s are the limit" in why
    assert not judge("ready", STARTING, age_s, LIMIT_S, lambda _: True)[0]


@pytest.mark.parametrize(("question", "path"), [("alive", "/is_sleeping"), ("ready", "/health")])
def test_what_runs_is_alive_by_its_core_and_ready_by_its_server(question: str, path: str) -> None:
    yes, why = judge(question, RUNNING, 5.0, LIMIT_S, lambda asked: asked == path)
    assert (yes, why) == (True, f"The engine answers {path}.")
    yes, why = judge(question, RUNNING, 5.0, LIMIT_S, lambda asked: asked != path)
    assert (yes, why) == (False, f"The engine runs, but {path} fails.")


@pytest.mark.parametrize("question", ["alive", "ready"])
def test_before_the_first_word_nothing_is_alive(question: str, tmp_path: Path) -> None:
    phase, age_s = read(str(tmp_path / "phase"))
    assert not judge(question, phase, age_s, LIMIT_S, lambda _: True)[0]


def test_what_was_told_is_read(tmp_path: Path) -> None:
    file = tmp_path / "phase"
    for phase in (PREPARING, WAITING):
        tell(str(file), phase)
        found, age_s = read(str(file))
        assert found == phase
        assert age_s >= 0
    assert list(tmp_path.iterdir()) == [file]
    tell("", RUNNING)
