"""The line of one priority: applications by arrival, their people in turn.

`SYNAPSE_POLICY_EXAMPLES` sets how many random lines each property sees; the few of an ordinary
test run are the same every time.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_arbiter.policy.line import NOBODY, Asker, Line

EXAMPLES = int(os.environ.get("SYNAPSE_POLICY_EXAMPLES", "0"))
explore = settings(max_examples=EXAMPLES or 200, deadline=None, derandomize=not EXAMPLES)


def line_of(*items: str) -> Line[str]:
    """Make a line of requests that arrive one second apart: `x.ann.1` is Ann's of application x."""
    line: Line[str] = Line()
    for second, item in enumerate(items):
        line.push(item, asker_of(item), float(second))
    return line


def asker_of(item: str) -> Asker:
    app, person, _ = item.split(".")
    return Asker(app, person)


def order(line: Line[str]) -> list[str]:
    return [line.pop()[0] for _ in range(len(line))]


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ("x..1 y..1 x..2 y..2", "x..1 y..1 x..2 y..2"),
        ("x.ann.1 x.ann.2 x.ann.3 x.bob.1", "x.ann.1 x.bob.1 x.ann.2 x.ann.3"),
        ("x.ann.1 x.ann.2 y..1 x.bob.1", "x.ann.1 x.bob.1 y..1 x.ann.2"),
        ("x.ann.1 x.ann.2 x..1 x.bob.1", "x.ann.1 x..1 x.bob.1 x.ann.2"),
        ("x.ann.1 x.ann.2 y.ann.1", "x.ann.1 x.ann.2 y.ann.1"),
        (
            "x.ann.1 x.ann.2 x.ann.3 x.bob.1 x.bob.2 x.cid.1",
            "x.ann.1 x.bob.1 x.cid.1 x.ann.2 x.bob.2 x.ann.3",
        ),
    ],
    ids=[
        "without-people-by-arrival",
        "people-take-turns",
        "only-in-places-of-their-application",
        "nameless-is-one-person",
        "a-name-in-another-application-is-somebody-else",
        "round-after-round",
    ],
)
def test_order(arrivals: str, expected: str) -> None:
    assert order(line_of(*arrivals.split())) == expected.split()


def test_who_comes_back_comes_after_those_who_wait() -> None:
    line = line_of("x.ann.1", "x.ann.2", "x.bob.1")
    assert [line.pop()[0], line.pop()[0]] == ["x.ann.1", "x.bob.1"]
    line.push("x.bob.2", asker_of("x.bob.2"), 9.0)
    line.push("x.bob.3", asker_of("x.bob.3"), 9.0)
    assert order(line) == ["x.ann.2", "x.bob.2", "x.bob.3"]


def test_a_request_that_left_takes_along_the_place_it_held() -> None:
    line = line_of("x.ann.1", "x.ann.2", "y..1", "x.bob.1")
    assert [line.pop()[0], line.pop()[0]] == ["x.ann.1", "x.bob.1"]  # Bob had ann.2's place
    assert line.remove("x.ann.2") == 1.0
    assert line.remove("x.ann.2") is None
    assert order(line) == ["y..1"]


def test_the_oldest_is_the_request_that_waits_longest_whoever_goes_first() -> None:
    line = line_of("x.ann.1", "x.ann.2", "x.bob.1")
    assert [line.pop(), line.pop()] == [("x.ann.1", 0.0), ("x.bob.1", 2.0)]
    assert line.oldest_s == 1.0
    assert order(line) == ["x.ann.2"]
    assert line.oldest_s == inf


def test_taking_from_an_empty_line_is_an_error() -> None:
    with pytest.raises(KeyError):
        line_of().pop()


@dataclass
class Play:
    """A line in use, and what was seen of it."""

    line: Line[int] = field(default_factory=Line)
    askers: dict[int, Asker] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    at_arrival: dict[int, int] = field(default_factory=dict)
    """How many waited when a request came."""
    starts_at_arrival: dict[int, int] = field(default_factory=dict)
    before: dict[int, Counter[str]] = field(default_factory=dict)
    """Of each request, how often each other person of its application was let in while it was
    the oldest one of its own person."""

    def come(self, asker: Asker) -> None:
        number = len(self.askers)
        self.askers[number] = asker
        self.before[number] = Counter()
        self.at_arrival[number] = len(self.waiting)
        self.starts_at_arrival[number] = len(self.started)
        self.line.push(number, asker, float(number))
        self.waiting.append(number)

    def start(self) -> None:
        if not self.waiting:
            return
        number, since_s = self.line.pop()
        assert since_s == number
        app, person = self.askers[number]
        for other in self.oldest():
            if self.askers[other].app == app and self.askers[other].person != person:
                self.before[other][person] += 1
        self.waiting.remove(number)
        self.started.append(number)

    def leave(self, which: int) -> None:
        if self.waiting:
            number = self.waiting.pop(which % len(self.waiting))
            assert self.line.remove(number) == number

    def oldest(self) -> list[int]:
        """Return of each person the request that waits longest."""
        first: dict[Asker, int] = {}
        for number in self.waiting:
            first.setdefault(self.askers[number], number)
        return list(first.values())


APPS = st.sampled_from("xyz")
PEOPLE = st.sampled_from(["", "ann", "ann", "ann", "bob", "cid"])  # Ann floods
COMES = st.builds(Asker, APPS, PEOPLE)
STARTS = st.just("start")
LEAVES = st.integers(0, 30)
EVENTS = st.lists(st.one_of(COMES, COMES, STARTS, STARTS, LEAVES), max_size=60)
WITHOUT_LEAVING = st.lists(st.one_of(COMES, COMES, STARTS), max_size=60)


def play(events: list[Asker | str | int]) -> Play:
    played = Play()
    for event in events:
        if isinstance(event, Asker):
            played.come(event)
        elif isinstance(event, int):
            played.leave(event)
        else:
            played.start()
    return played


@explore
@given(EVENTS)
def test_nobody_else_of_an_application_goes_twice_before_the_oldest_of_a_persons_requests(
    events: list[Asker | str | int],
) -> None:
    played = play([*events, *["start"] * 60])
    assert not played.waiting
    assert max((max(each.values(), default=0) for each in played.before.values()), default=0) <= 1


@explore
@given(EVENTS)
def test_the_requests_of_one_person_start_in_order_of_arrival(
    events: list[Asker | str | int],
) -> None:
    played = play([*events, *["start"] * 60])
    for asker in set(played.askers.values()):
        theirs = [number for number in played.started if played.askers[number] == asker]
        assert theirs == sorted(theirs)


@explore
@given(WITHOUT_LEAVING)
def test_places_go_to_applications_in_order_of_arrival(events: list[Asker | str]) -> None:
    played = play([*events, *["start"] * 60])
    assert [played.askers[number].app for number in played.started] == [
        played.askers[number].app for number in sorted(played.started)
    ]


@explore
@given(EVENTS)
def test_an_application_without_people_waits_only_for_what_came_before_it(
    events: list[Asker | str | int],
) -> None:
    nameless = [
        Asker("z") if isinstance(event, Asker) and event.app == "z" else event for event in events
    ]
    played = play([*nameless, *["start"] * 60])
    for turn, number in enumerate(played.started):
        if played.askers[number].app == "z":
            starts_between = turn - played.starts_at_arrival[number]
            assert starts_between <= played.at_arrival[number]


@explore
@given(EVENTS, COMES)
def test_places_and_forecasts_come_true_if_no_more_come(
    events: list[Asker | str | int], newcomer: Asker
) -> None:
    played = play(list(events))
    line = played.line
    before = line.before_newcomer(newcomer)
    played.come(newcomer)
    number = len(played.askers) - 1
    assert line.place(number) == before + 1
    places = {line.place(each): each for each in played.waiting}
    assert line.place(-1) == 0
    assert [line.pop()[0] for _ in range(len(line))] == [places[n + 1] for n in range(len(places))]


def test_an_unknown_application_comes_after_all() -> None:
    assert line_of("x.ann.1", "x.ann.2").before_newcomer(NOBODY) == 2
