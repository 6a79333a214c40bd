"""What a request that arrives now is told to expect; the ids are the specification.

The models a, b, c run two requests at once, which take 4 s; they drain in 3 s, sleep in 0.5 s
and serve 1.5 s after their wake began: c = 2 s, Q = D = 8 s, q_min = 5 s. Model a has been
resident since second 100.
"""

from math import inf

import pytest

from synapse_arbiter.policy.estimates import Average, Duration, ModelEstimates
from synapse_arbiter.policy.forecast import Prediction, Refusal, predict_wait
from synapse_arbiter.policy.line import Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import GpuView, ModelView
from tests.unit.arbiter.changes import Change, model, nobody, runs, sets, waits

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH


def asks_again(name: str) -> Change:
    return lambda gpu: gpu.models[name].idle_gaps_s.extend([0.1] * 3)


def closed_since(closed_s: float) -> Change:
    return lambda gpu: gpu.close_gate(closed_s)


def moves(target: str | None, ends_s: float) -> Change:
    return lambda gpu: gpu.start_moving(100.0, target, ends_s - 100.0)


CASES: list[tuple[str, str, Priority, float, list[Change], float]] = [
    # 2: the model has its turn
    ("resident-has-room", "a", INTERACTIVE, 101, [runs(1)], 0),
    ("resident-is-full", "a", INTERACTIVE, 101, [runs(2)], 2),
    ("resident-has-a-queue", "a", INTERACTIVE, 101, [runs(2), waits("a", 101, 3)], 8),
    ("batch-waits-behind", "a", BATCH, 101, [runs(2), waits("a", 101, 3)], 8),
    (
        "interactive-passes-batch",
        "a",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 3, BATCH)],
        2,
    ),
    (
        "every-fourth-is-batch",
        "a",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 3), waits("a", 101, 3, BATCH)],
        10,
    ),
    ("a-long-queue-alone-takes-one-turn", "a", INTERACTIVE, 101, [runs(2), waits("a", 101, 9)], 20),
    (
        "a-queue-within-the-turn",
        "a",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 2), waits("b", 101)],
        6,
    ),
    (
        # 7 s of its turn, drain 3, b: 2 + 4, back: 2, then 8 - 7 s of its queue
        "what-does-not-fit-waits-for-the-next-turn",
        "a",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 3), waits("b", 101)],
        7 + 3 + (2 + 4) + 2 + 1,
    ),
    (
        # as before, with 9 s of its queue left for the next turn: one more round of 3 + 6 + 2
        "a-long-queue-takes-several-turns",
        "a",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 7), waits("b", 101)],
        7 + 3 + (2 + 4) + 2 + (3 + 6 + 2) + 9,
    ),
    (
        "a-pinned-model-has-no-turns",
        "a",
        INTERACTIVE,
        101,
        [sets(pinned="a"), runs(2), waits("a", 101, 7), waits("b", 101)],
        16,
    ),
    ("coming-in", "b", INTERACTIVE, 101, [moves("b", 102.0)], 1),
    (
        "coming-in-with-a-queue",
        "b",
        INTERACTIVE,
        101,
        [moves("b", 102.0), waits("b", 100, 2), waits("c", 100)],
        1 + 2,
    ),
    ("coming-in-late", "b", INTERACTIVE, 103, [moves("b", 102.0)], 0),
    # 3: others come first
    ("empty-gpu", "b", INTERACTIVE, 101, [nobody], 1.5),
    ("idle-resident", "b", INTERACTIVE, 101, [], 2),
    ("resident-without-a-queue-finishes", "b", INTERACTIVE, 101, [runs(1)], 4 + 2),
    ("resident-asks-again", "b", INTERACTIVE, 101, [runs(1), asks_again("a")], 7 + 3 + 2),
    ("idle-resident-asks-again", "b", INTERACTIVE, 101, [asks_again("a")], 7 + 2),
    (
        "resident-has-work-for-its-turn",
        "b",
        INTERACTIVE,
        101,
        [runs(2), waits("a", 101, 9)],
        7 + 3 + 2,
    ),
    (
        "resident-was-alone-for-long",
        "b",
        INTERACTIVE,
        999,
        [runs(2)],
        3 + 2,
    ),
    (
        "draining",
        "b",
        INTERACTIVE,
        102,
        [runs(2), closed_since(101.0), waits("c", 101)],
        2 + (2 + 4) + 2,
    ),
    ("drained", "b", INTERACTIVE, 102, [closed_since(101.0), waits("b", 101)], 2),
    ("drain-takes-longer-than-usual", "b", INTERACTIVE, 109, [runs(2), closed_since(101.0)], 2),
    (
        "its-own-gate-has-closed",
        "a",
        INTERACTIVE,
        102,
        [runs(2), closed_since(101.0), waits("b", 101)],
        2 + (2 + 4) + 2,
    ),
    (
        "another-comes-in",
        "b",
        INTERACTIVE,
        101,
        [moves("c", 102.0), waits("c", 100, 3)],
        1 + 8 + 2,
    ),
    (
        "another-comes-in-for-a-quantum",
        "b",
        INTERACTIVE,
        101,
        [moves("c", 102.0), waits("c", 100, 5)],
        1 + (8 + 3) + 2,
    ),
    (
        "another-comes-in-that-asks-again",
        "b",
        INTERACTIVE,
        101,
        [moves("c", 102.0), waits("c", 100), asks_again("c")],
        1 + (8 + 3) + 2,
    ),
    ("the-gpu-empties", "b", INTERACTIVE, 101, [moves(None, 102.0)], 1 + 1.5),
    ("older-clock-first", "b", INTERACTIVE, 101, [nobody, waits("c", 100)], (2 + 4) + 1.5),
    (
        "younger-clock-after",
        "b",
        INTERACTIVE,
        101,
        [nobody, waits("c", 100), waits("b", 99)],
        1.5,
    ),
    (
        "unavailable-ones-do-not-count",
        "b",
        INTERACTIVE,
        101,
        [nobody, waits("c", 100), model("c", available=False)],
        1.5,
    ),
    ("a-boot-first", "b", INTERACTIVE, 101, [nobody, sets(boot_since_s=100.0)], 60 + 1.5),
    (
        "a-boot-after",
        "b",
        INTERACTIVE,
        101,
        [nobody, sets(boot_since_s=100.0), waits("b", 99)],
        1.5,
    ),
    ("behind-a-queue-of-its-own", "b", INTERACTIVE, 101, [nobody, waits("b", 101, 3)], 1.5 + 4),
    (
        "batch-does-not-hurry-an-interactive-resident",
        "b",
        BATCH,
        101,
        [runs(1), asks_again("a")],
        7 + 3 + 2,
    ),
    (
        "interactive-hurries-a-batch-resident",
        "b",
        INTERACTIVE,
        101,
        [sets(in_flight=1), waits("a", 101, 9, BATCH)],
        4 + 3 + 2,
    ),
    (
        "unavailable-pin-is-passed-over",
        "b",
        INTERACTIVE,
        101,
        [sets(pinned="c"), model("c", available=False)],
        2,
    ),
]


@pytest.fixture
def gpu() -> GpuView:
    models = {name: ModelView(name, capacity=2, switch_cost_s=2.0) for name in "abc"}
    gpu = GpuView(models)
    gpu.end_moving(models["a"], 100.0)
    gpu.open_gate(inf)
    return gpu


@pytest.fixture
def known() -> dict[str, ModelEstimates]:
    return {
        name: ModelEstimates(
            sleep=Duration(0.5),
            wake=Duration(1.25),
            canary=Duration(0.25),
            drain=Duration(3.0),
            boot=Duration(60.0),
            service=Average(4.0),
        )
        for name in "abc"
    }


@pytest.mark.parametrize(
    ("name", "priority", "now_s", "changes", "expected_s"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_predicted_wait(
    gpu: GpuView,
    known: dict[str, ModelEstimates],
    name: str,
    priority: Priority,
    now_s: float,
    changes: list[Change],
    expected_s: float,
) -> None:
    for change in changes:
        change(gpu)
    assert predict_wait(gpu, known, name, priority, now_s) == Prediction(expected_s)


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (sets(released=True), Refusal.RELEASED),
        (sets(pinned="c"), Refusal.PINNED),
        (model("b", available=False), Refusal.UNAVAILABLE),
    ],
    ids=["released", "pinned", "unavailable"],
)
def test_what_forbids_a_model_is_named(
    gpu: GpuView, known: dict[str, ModelEstimates], change: Change, obstacle: Refusal
) -> None:
    change(gpu)
    prediction = predict_wait(gpu, known, "b", INTERACTIVE, 101.0)
    assert prediction == Prediction(inf, obstacle)


def test_a_wait_is_predicted_while_the_gpu_moves_to_a_model_nobody_waits_for_any_more(
    gpu: GpuView, known: dict[str, ModelEstimates]
) -> None:
    moves("b", 103.0)(gpu)
    assert 2.0 < predict_wait(gpu, known, "a", INTERACTIVE, 101.0).wait_s < 20.0


def test_a_wait_is_predicted_for_who_comes_in_while_only_the_leaving_one_is_waited_for(
    gpu: GpuView, known: dict[str, ModelEstimates]
) -> None:
    moves("b", 103.0)(gpu)
    waits("a", 101.0)(gpu)
    assert predict_wait(gpu, known, "b", INTERACTIVE, 101.0) == Prediction(2.0)


@pytest.mark.parametrize(("person", "expected_s"), [("ann", 2.0 + 8 * 2.0), ("bob", 2.0 + 2.0)])
def test_a_wait_goes_by_the_turns_of_the_applications_people(
    gpu: GpuView, known: dict[str, ModelEstimates], person: str, expected_s: float
) -> None:
    runs(2)(gpu)
    for number in range(8):
        gpu.models["a"].queue.push(number, INTERACTIVE, 101.0, Asker("x", "ann"))
    prediction = predict_wait(gpu, known, "a", INTERACTIVE, 101.0, Asker("x", person))
    assert prediction == Prediction(expected_s)
