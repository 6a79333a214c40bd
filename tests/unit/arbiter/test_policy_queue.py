"""The queue of one model: who goes first, and the sums that the policy reads."""

from math import inf

import pytest

from synapse_arbiter.policy.line import NOBODY, Asker
from synapse_arbiter.policy.queue import Priority, Queue

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH


def queue_of(*items: str) -> Queue[str]:
    """Make a queue of requests named i1, b1, ... that arrive one second apart."""
    queue: Queue[str] = Queue()
    for second, item in enumerate(items):
        queue.push(item, INTERACTIVE if item[0] == "i" else BATCH, float(second))
    return queue


def order(queue: Queue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ("i1 i2 i3", "i1 i2 i3"),
        ("b1 b2 b3", "b1 b2 b3"),
        ("b1 i1", "i1 b1"),
        ("b1 b2 i1 i2 i3 i4 i5 i6 i7", "i1 i2 i3 b1 i4 i5 i6 b2 i7"),
    ],
    ids=["interactive-fifo", "batch-fifo", "interactive-first", "every-fourth-is-batch"],
)
def test_order(arrivals: str, expected: str) -> None:
    assert order(queue_of(*arrivals.split())) == expected.split()


def test_interactive_requests_alone_do_not_count_against_batch_that_comes_later() -> None:
    queue = queue_of("i1", "i2", "i3", "i4", "i5")
    for _ in range(4):
        queue.pop()
    queue.push("b1", BATCH, 9.0)
    assert order(queue) == ["i5", "b1"]


def test_a_request_that_left_is_forgotten() -> None:
    queue = queue_of("i1", "i2", "b1")
    assert queue.remove("i1", INTERACTIVE)
    assert not queue.remove("i1", INTERACTIVE)
    assert (queue.oldest_s, queue.interactive, len(queue)) == (1.0, 1, 2)
    assert order(queue) == ["i2", "b1"]


def test_taking_from_an_empty_line_is_an_error() -> None:
    with pytest.raises(KeyError):
        queue_of().pop()


@pytest.mark.parametrize(
    ("arrivals", "oldest_s", "backlog"),
    [
        ("", inf, 0.0),
        ("i1", 0.0, 4 * 11),
        ("b1", 0.0, 11),
        ("b1 i1", 0.0, 11 + 4 * 10),
        ("i1 b1", 0.0, 4 * 11 + 10),
    ],
    ids=["empty", "interactive", "batch", "batch-is-oldest", "interactive-is-oldest"],
)
def test_sums_at_second_ten(arrivals: str, oldest_s: float, backlog: float) -> None:
    queue = queue_of(*arrivals.split())
    assert (queue.oldest_s, queue.backlog(10.0)) == (oldest_s, backlog)


def test_an_emptied_line_has_no_backlog_left() -> None:
    queue = queue_of("i1", "b1", "i2")
    order(queue)
    assert (queue.oldest_s, queue.backlog(10.0), len(queue)) == (inf, 0.0, 0)


def test_a_place_counts_those_before_it() -> None:
    queue = queue_of("b1", "i1", "b2", "i2")
    places = {
        item: queue.place(item, INTERACTIVE if item[0] == "i" else BATCH)
        for item in ["i1", "i2", "b1", "b2", "i9"]
    }
    assert places == {"i1": 1, "i2": 2, "b1": 3, "b2": 4, "i9": 0}


@pytest.mark.parametrize(
    ("priority", "asker", "ahead"),
    [
        (INTERACTIVE, NOBODY, 6 + 1),
        (BATCH, NOBODY, 6 + 1),
        (INTERACTIVE, Asker("x", "ann"), 6 + 1),
        (INTERACTIVE, Asker("x", "bob"), 1),
        (BATCH, Asker("x", "bob"), 6 + 1),
    ],
    ids=[
        "every-fourth-is-batch",
        "batch-behind-all-interactive",
        "who-floods-waits-behind-himself",
        "another-person-behind-one",
        "in-the-line-of-the-priority-only",
    ],
)
def test_who_would_go_before_a_newcomer(priority: Priority, asker: Asker, ahead: int) -> None:
    queue = queue_of("b1")
    for number in range(6):
        queue.push(f"ann{number}", INTERACTIVE, 1.0, Asker("x", "ann"))
    assert queue.ahead(priority, asker) == ahead
