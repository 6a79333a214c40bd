"""The bounds that the policy promises, over random workloads in virtual time.

`SYNAPSE_POLICY_EXAMPLES` sets how many workloads each property sees; the few of an ordinary
test run are the same every time.
"""

import os
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_sim.facts import Engine, Request
from gpu_sim.gpu import GpuSim, Policy
from synapse_arbiter.policy.decide import decide
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import Rules

EXAMPLES = int(os.environ.get("SYNAPSE_POLICY_EXAMPLES", "0"))
SLACK_S = 1e-6
HORIZON_S = 120.0
explore = settings(max_examples=EXAMPLES or 60, deadline=None, derandomize=not EXAMPLES)

PRIORITIES = st.sampled_from(Priority)
ENGINES = st.builds(
    Engine,
    sleep_s=st.sampled_from([0.0, 0.25, 1.0]),
    wake_s=st.sampled_from([0.25, 0.5, 2.0, 3.0]),
    capacity=st.sampled_from([1, 2, 4, 16]),
)
# Multiples of an eighth of a second are exact and make many things happen at the same time.
EIGHTHS = st.integers(0, 8 * 40).map(lambda eighths: eighths / 8)
SERVICES = st.sampled_from([0.125, 0.5, 1.0, 4.0, 10.0])
RULES = st.one_of(
    st.just(Rules()),
    st.builds(
        Rules,
        quantum_s=st.sampled_from([None, 2.0, 8.0, 20.0]),
        deadline_s=st.sampled_from([None, 0.5, 4.0, 60.0]),
        residency_s=st.sampled_from([None, 0.0, 3.0, 30.0]),
        idle_ttl_s=st.sampled_from([None, 1.0, 5.0]),
    ),
)


@dataclass(frozen=True)
class World:
    """A GPU's engines and rules, what arrives, and who asks again how often after how long."""

    engines: dict[str, Engine]
    rules: Rules
    requests: list[Request]
    think_s: float
    asks_again: bool

    def play(self, policy: Policy = decide) -> GpuSim:
        def follow(now_s: float, request: Request) -> list[Request]:
            if not request.client:
                return []
            return [
                Request(
                    now_s + self.think_s,
                    request.model,
                    request.service_s,
                    request.client - 1,
                    request.priority,
                )
            ]

        sim = GpuSim(self.engines, policy, self.rules, follow, self.asks_again)
        return sim.run(self.requests)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = "ABCDE"[: draw(st.integers(2, 5))]
    requests = st.builds(
        Request,
        at_s=EIGHTHS,
        model=st.sampled_from(names),
        service_s=SERVICES,
        client=st.sampled_from([0, 0, 0, 3, 12]),
        priority=PRIORITIES,
        patience_s=st.sampled_from([float("inf"), float("inf"), 0.5, 6.0]),
    )
    return World(
        engines={name: draw(ENGINES) for name in names},
        rules=draw(RULES),
        requests=draw(st.lists(requests, min_size=1, max_size=40)),
        think_s=draw(st.sampled_from([0.0, 0.25, 1.0])),
        asks_again=draw(st.booleans()),
    )


def waits_and_bound(sim: GpuSim) -> tuple[list[float], float]:
    """Return the waits from each clock's start to the residency, and what bounds them."""
    engines = [sim.engines[name] for name in {request.model for request in sim.arrived}]
    cost_s = max(e.sleep_s for e in engines) + max(e.wake_s for e in engines)
    quantum_s = sim.rules.turn(max(e.sleep_s + e.wake_s for e in engines)).quantum_s
    drain_s = max((turn.left_s - turn.closed_s for turn in sim.turns[:-1]), default=0.0)
    bound_s = (len(engines) - 1) * (quantum_s + drain_s + cost_s) + drain_s + cost_s
    return [turn.since_s - turn.clock_s for turn in sim.turns], bound_s


@explore
@given(world=worlds())
def test_a_model_becomes_resident_within_the_bound_from_its_clocks_start(world: World) -> None:
    waits_s, bound_s = waits_and_bound(world.play())
    assert max(waits_s, default=0.0) <= bound_s + SLACK_S


@explore
@given(world=worlds())
def test_requests_of_one_model_and_priority_are_served_in_order_of_arrival(world: World) -> None:
    sim = world.play()
    admitted = set(sim.admitted)
    for name in world.engines:
        for priority in Priority:
            arrived = [r for r in sim.arrived if (r.model, r.priority) == (name, priority)]
            in_order = [r for r in sim.admitted if (r.model, r.priority) == (name, priority)]
            assert in_order == [request for request in arrived if request in admitted]


@explore
@given(world=worlds())
def test_every_request_ends_exactly_once_and_nothing_is_left(world: World) -> None:
    sim = world.play()
    assert len(sim.served) == len({end.request for end in sim.served}) == len(sim.arrived)
    assert {end.request for end in sim.served} == set(sim.arrived)
    assert sim.gpu.in_flight == sim.gpu.interactive_in_flight == 0
    assert not any(model.queue for model in sim.gpu.models.values())


@explore
@given(world=worlds())
def test_transitions_never_overlap_and_never_cut_a_turn(world: World) -> None:
    turns = world.play().turns
    for turn, following in pairwise(turns):
        assert turn.moving_s <= turn.since_s <= turn.closed_s <= turn.left_s <= following.moving_s


@explore
@given(world=worlds())
def test_no_turn_outlasts_its_quantum_or_the_deadline_of_who_comes_next(world: World) -> None:
    sim = world.play()
    cost_s = max(engine.sleep_s + engine.wake_s for engine in world.engines.values())
    longest = world.rules.turn(cost_s)
    for turn, following in pairwise(sim.turns):
        quantum_s = max(turn.since_s + longest.quantum_s, following.clock_s)
        guaranteed_s = turn.since_s + longest.residency_s
        deadline_s = max(guaranteed_s, following.clock_s + longest.deadline_s)
        assert turn.closed_s <= min(quantum_s, deadline_s) + SLACK_S


@explore
@given(
    engine=ENGINES,
    names=st.sampled_from(["AB", "ABC", "ABCDE"]),
    services=st.lists(st.sampled_from([0.5, 1.0, 4.0]), min_size=1, max_size=8),
    priorities=st.lists(PRIORITIES, min_size=1, max_size=5),
    rules=RULES,
)
def test_under_saturation_switching_takes_its_share_at_most(
    engine: Engine, names: str, services: list[float], priorities: list[Priority], rules: Rules
) -> None:
    """Twice as many requests as the engine runs are always there for every model."""
    requests = [
        Request(
            0.0, name, services[number % len(services)], 1, priorities[number % len(priorities)]
        )
        for name in names
        for number in range(2 * engine.capacity)
    ]

    def follow(now_s: float, request: Request) -> list[Request]:
        return [Request(now_s, request.model, request.service_s, 1, request.priority)]

    sim = GpuSim(dict.fromkeys(names, engine), decide, rules, follow).run(requests, HORIZON_S)
    cost_s = engine.sleep_s + engine.wake_s
    residency_s = rules.turn(cost_s).residency_s
    over = [turn for turn in sim.turns if turn.left_s < HORIZON_S]
    assert all(turn.left_s - turn.since_s >= residency_s - SLACK_S for turn in over)
    switching_s = sum(turn.since_s - turn.moving_s for turn in over)
    total_s = sum(turn.left_s - turn.moving_s for turn in over)
    assert switching_s <= cost_s / (residency_s + cost_s) * total_s + SLACK_S
    assert {turn.model for turn in sim.turns} == set(names)


@pytest.mark.parametrize("capacity", [1, 2, 16])
@pytest.mark.parametrize("elsewhere", ["", "B"], ids=["alone", "beside-another-model"])
def test_interactive_requests_do_not_starve_batch_of_their_own_model(
    capacity: int, elsewhere: str
) -> None:
    engine = Engine(capacity=capacity)
    busy = [Request(0.0, name, 0.5, 1) for name in "A" + elsewhere for _ in range(3 * capacity)]
    batch = [Request(10.0, "A", 0.5, None, Priority.BATCH) for _ in range(10)]

    def follow(now_s: float, request: Request) -> list[Request]:
        return [Request(now_s, request.model, 0.5, 1)] if request.client else []

    sim = GpuSim({"A": engine, "B": engine}, decide, follow=follow).run([*busy, *batch], 300.0)
    ours = [request for request in sim.admitted if request.model == "A"]
    places = [number for number, request in enumerate(ours) if request.client is None]
    assert len(places) == 10
    assert all(after - before <= 4 for before, after in pairwise(places))
