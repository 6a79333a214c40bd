"""The GPU's bookkeeping and the rules that follow from the switch cost."""

from math import inf

import pytest

from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import GpuView, ModelView, Rules

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH


@pytest.fixture
def gpu() -> GpuView:
    models = {name: ModelView(name, capacity=2, switch_cost_s=2.0) for name in "ab"}
    gpu = GpuView(models)
    gpu.end_moving(models["a"], 100.0)
    return gpu


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(), (8, 8, 5)),
        (Rules(quantum_s=20), (20, 20, 5)),
        (Rules(quantum_s=4), (4, 4, 4)),
        (Rules(deadline_s=6), (8, 6, 5)),
        (Rules(deadline_s=60), (8, 8, 5)),
        (Rules(residency_s=3), (8, 8, 3)),
        (Rules(residency_s=30), (8, 8, 8)),
        (Rules(quantum_s=0, residency_s=0), (2, 2, 2)),
    ],
    ids=[
        "derived",
        "deadline-follows-quantum",
        "residency-within-quantum",
        "deadline",
        "deadline-within-quantum",
        "residency",
        "residency-too-long",
        "never-shorter-than-a-switch",
    ],
)
def test_turn_for_a_switch_of_two_seconds(rules: Rules, expected: tuple[float, ...]) -> None:
    assert rules.turn(2.0) == expected


def test_a_request_passes_only_through_an_open_gate_with_room_and_nobody_before_it(
    gpu: GpuView,
) -> None:
    a, b = gpu.models["a"], gpu.models["b"]
    assert not gpu.passes(a, 101.0), "no decision yet"
    gpu.open_gate(110.0)
    assert gpu.passes(a, 101.0)
    assert not gpu.passes(b, 101.0), "not the resident"
    assert not gpu.passes(a, 110.0), "the decision ended"
    a.queue.push("r", INTERACTIVE, 101.0)
    assert not gpu.passes(a, 101.0), "somebody waits before it"
    a.queue.pop()
    gpu.admitted(BATCH)
    gpu.admitted(INTERACTIVE)
    assert not gpu.passes(a, 101.0), "the engine is full"
    gpu.finished(BATCH, 102.0)
    assert gpu.passes(a, 102.0)
    gpu.close_gate(103.0)
    assert not gpu.passes(a, 103.0), "the gate is closed"


def test_running_requests_are_counted_by_priority(gpu: GpuView) -> None:
    gpu.admitted(INTERACTIVE)
    gpu.admitted(BATCH)
    assert (gpu.in_flight, gpu.interactive_in_flight) == (2, 1)
    gpu.finished(INTERACTIVE, 101.0)
    assert (gpu.in_flight, gpu.interactive_in_flight) == (1, 0)


def test_idle_time_starts_when_the_last_request_ends_and_is_learned_at_the_next(
    gpu: GpuView,
) -> None:
    a = gpu.models["a"]
    a.note_arrival(100.5)
    gpu.admitted(INTERACTIVE)
    gpu.admitted(INTERACTIVE)
    gpu.finished(INTERACTIVE, 101.0)
    assert (a.idle_since_s, gpu.idle_from_s) == (None, 100.0)
    gpu.finished(INTERACTIVE, 102.0)
    assert (a.idle_since_s, gpu.idle_from_s) == (102.0, 102.0)
    a.note_arrival(102.5)
    assert (a.idle_since_s, list(a.idle_gaps_s)) == (None, [0.5])


def test_a_resident_with_a_line_is_not_idle(gpu: GpuView) -> None:
    a = gpu.models["a"]
    gpu.admitted(INTERACTIVE)
    a.queue.push("r", INTERACTIVE, 101.0)
    gpu.finished(INTERACTIVE, 102.0)
    assert a.idle_since_s is None


def test_only_the_last_eight_idle_gaps_are_kept(gpu: GpuView) -> None:
    a = gpu.models["a"]
    for second in range(10):
        a.idle_since_s = 0.0
        a.note_arrival(float(second))
    assert list(a.idle_gaps_s) == [2, 3, 4, 5, 6, 7, 8, 9]


def test_idle_time_of_an_empty_gpu_counts_from_its_emptying(gpu: GpuView) -> None:
    gpu.end_moving(None, 105.0)
    assert gpu.idle_from_s == 105.0


def test_the_fair_clock_is_the_later_of_oldest_arrival_and_last_gate_closing(
    gpu: GpuView,
) -> None:
    a = gpu.models["a"]
    assert a.clock_s == inf
    a.queue.push("r", INTERACTIVE, 101.0)
    assert a.clock_s == 101.0
    gpu.open_gate(inf)
    gpu.close_gate(103.0)
    assert a.clock_s == 103.0


def test_a_closed_gate_does_not_restart_the_clock(gpu: GpuView) -> None:
    gpu.open_gate(inf)
    gpu.close_gate(103.0)
    gpu.close_gate(104.0)
    gpu.start_moving(105.0, None, 1.0)
    assert gpu.models["a"].gate_closed_s == 103.0


def test_a_switch_closes_the_gate_and_gives_the_gpu_to_the_next(gpu: GpuView) -> None:
    a, b = gpu.models["a"], gpu.models["b"]
    gpu.open_gate(inf)
    gpu.start_moving(103.0, "b", 2.0)
    assert (gpu.moving, gpu.gate_closed, a.gate_closed_s) == (True, True, 103.0)
    assert (gpu.moving_to, gpu.moving_until_s) == ("b", 105.0)
    gpu.end_moving(b, 105.0)
    assert (gpu.moving, gpu.moving_to, gpu.gate_closed) == (False, None, False)
    assert (gpu.resident, gpu.resident_since_s) == (b, 105.0)


def test_an_empty_gpu_has_a_closed_gate(gpu: GpuView) -> None:
    gpu.start_moving(103.0, "b", 2.0)
    gpu.end_moving(None, 104.0)
    gpu.close_gate(105.0)
    assert (gpu.resident, gpu.gate_closed) == (None, True)
