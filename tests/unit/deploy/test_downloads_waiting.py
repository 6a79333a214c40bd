"""A deployment waits for what the first answer needs, and for nothing else."""

from typing import Any

from synapse_deploy.downloads.fetcher import Status
from synapse_deploy.downloads.waiting import later, missing, wait_for_first
from synapse_ollama.board import FAILED, MAKING, PULLING, THERE, WAITS, Standing
from synapse_ollama.plan import GIB


def standing(name: str, state: str, **given: Any) -> Standing:
    return Standing(name, f"library/{name}", state, total_bytes=2 * GIB, **given)


def starter(state: str, **given: Any) -> Standing:
    return standing("small", state, is_starter=True, is_download=True, **given)


LARGE = standing("large", WAITS, is_download=True)


class Course:
    """What the fetcher shows, look by look; time passes as it is waited for."""

    def __init__(self, *looks: Status) -> None:
        self.looks = list(looks)
        self.said: list[str] = []
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, limit_s: float = 60) -> Status:
        first = self.ask()
        return wait_for_first(
            first, self.ask, limit_s, self.said.append, lambda: self.now, self.sleep
        )

    def ask(self) -> Status:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def test_it_ends_with_the_starter_and_does_not_wait_for_what_is_large() -> None:
    pulling = starter(PULLING, done_bytes=GIB, rate_bytes_s=10 * 2**20)
    course = Course(Status((pulling, LARGE), looks=1), Status((starter(THERE), LARGE), looks=1))
    assert course.wait().later == [LARGE]
    assert course.said == ["waiting for small (50 %, 1.0 of 2.0 GiB, 10 MiB/s)"]


def test_it_waits_for_what_needs_no_download() -> None:
    making = standing("own", MAKING)
    course = Course(Status((making,), looks=1), Status((standing("own", THERE),), looks=1))
    course.wait()
    assert course.said == ["waiting for own (making)"]


def test_it_waits_until_the_fetcher_has_looked_and_ollama_answers() -> None:
    course = Course(Status(), Status(why="Ollama does not answer"), Status(looks=1))
    assert course.wait().looks == 1


def test_it_ends_with_a_starter_that_failed() -> None:
    failed = starter(FAILED, reason="cannot pull library/small: no such host")
    after = Course(Status((failed, LARGE), looks=1)).wait()
    assert missing(after) == ["model small: cannot pull library/small: no such host"]


def test_it_ends_in_time_and_the_starter_is_named_as_missing() -> None:
    course = Course(Status((starter(PULLING, done_bytes=GIB),), looks=1))
    (told,) = missing(course.wait(30))
    assert course.said[-1] == "not waited for any longer than 30 s (ollama_starter_wait_s)"
    assert told.startswith("model small, with which the first answer comes, is not there yet: ")
    assert "50 %, 1.0 of 2.0 GiB" in told


def test_what_comes_later_is_told_in_its_order_and_is_not_missing() -> None:
    status = Status((LARGE, standing("larger", WAITS, is_download=True)), looks=1)
    assert list(later(status)) == [
        "in the background, 4.0 GiB in this order: large, larger; make test-health shows how far"
    ]
    assert missing(status) == []


def test_an_ollama_that_does_not_answer_is_named() -> None:
    (told,) = missing(Status(why="Ollama does not answer: refused"))
    assert "Ollama does not answer: refused" in told
