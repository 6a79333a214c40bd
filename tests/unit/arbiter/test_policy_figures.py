"""What the policy promises in two small scenes, with its default constants; a switch takes 2 s."""

import pytest

from gpu_sim.baselines import fifo_collate
from gpu_sim.facts import Engine
from gpu_sim.scenes import (
    ANSWER_S,
    BUSY_S,
    LOAD,
    SLEEP_AND_WAKE,
    answers_for,
    busy_and_rare,
    two_agents,
)
from synapse_arbiter.policy.decide import decide

ENGINES = [LOAD, SLEEP_AND_WAKE]


@pytest.mark.parametrize("engine", ENGINES, ids=["load", "sleep-and-wake"])
def test_a_rare_request_waits_within_the_bound_and_under_eleven_seconds(engine: Engine) -> None:
    sim = busy_and_rare(decide, engine, rare=1)
    [rare] = [end for end in sim.served if end.request.model == "B"]
    cost_s, drain_s, quantum_s = 2.0, ANSWER_S, 8.0
    bound_s = (quantum_s + drain_s + cost_s) + drain_s + cost_s
    assert rare.admitted_s is not None
    assert rare.admitted_s - rare.request.at_s <= bound_s
    assert rare.ended_s - rare.request.at_s < 11.0


@pytest.mark.parametrize("engine", ENGINES, ids=["load", "sleep-and-wake"])
def test_the_busy_model_keeps_three_quarters_of_its_throughput(engine: Engine) -> None:
    shared, undisturbed = (busy_and_rare(decide, engine, rare) for rare in (1, 0))
    assert answers_for(shared, "A") >= 0.75 * answers_for(undisturbed, "A")


@pytest.mark.parametrize("engine", ENGINES, ids=["load", "sleep-and-wake"])
def test_two_agents_need_at_most_five_switches_and_twenty_four_seconds(engine: Engine) -> None:
    sim = two_agents(decide, engine)
    assert len(sim.served) == 20
    assert sim.switches <= 5
    assert max(end.ended_s for end in sim.served) <= 24.0


def test_first_in_first_out_does_neither() -> None:
    rare = next(e for e in busy_and_rare(fifo_collate, LOAD, 1).served if e.request.model == "B")
    assert rare.ended_s > BUSY_S
    agents = two_agents(fifo_collate, LOAD)
    assert (agents.switches, max(end.ended_s for end in agents.served)) == (20, 50.0)
