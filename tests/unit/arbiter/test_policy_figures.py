"""What the policy promises in two small scenes, with its default constants; a switch takes 2 s."""

import pytest

from card_sim.baselines import fifo_collate
from card_sim.card import CardSim, Engine, Policy, Request
from synapse_arbiter.policy import decide

ENGINES = [Engine(sleep_s=0.0, wake_s=2.0), Engine(sleep_s=0.5, wake_s=1.5)]
ANSWER_S = 0.5
THINK_S = 0.2
BUSY_S = 30.0


def busy_and_rare(policy: Policy, engine: Engine, rare: int) -> CardSim:
    """Two clients keep A busy for 30 s, taking turns; one request for B arrives after 2 s."""

    def follow(now_s: float, request: Request) -> list[Request]:
        goes_on = request.client is not None and now_s < BUSY_S
        return [Request(now_s + 0.001, "A", ANSWER_S, request.client)] if goes_on else []

    busy = [Request(0.0, "A", ANSWER_S / 2, 1), Request(0.0, "A", ANSWER_S, 2)]
    sim = CardSim({"A": engine, "B": engine}, policy, follow=follow)
    return sim.run([*busy, *[Request(2.0, "B", ANSWER_S)] * rare])


def two_agents(policy: Policy, engine: Engine) -> CardSim:
    """Two agents, each with its own model, ask ten times, one request after the other."""

    def follow(now_s: float, request: Request) -> list[Request]:
        left = (request.client or 0) - 1
        return [Request(now_s + THINK_S, request.model, ANSWER_S, left)] if left else []

    sim = CardSim({"A": engine, "B": engine}, policy, follow=follow)
    return sim.run([Request(0.0, "A", ANSWER_S, 10), Request(0.0, "B", ANSWER_S, 10)])


def answers_for(sim: CardSim, model: str) -> int:
    return sum(end.request.model == model and end.ended_s <= BUSY_S for end in sim.served)


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
    rare = next(
        e for e in busy_and_rare(fifo_collate, ENGINES[0], 1).served if e.request.model == "B"
    )
    assert rare.ended_s > BUSY_S
    agents = two_agents(fifo_collate, ENGINES[0])
    assert (agents.switches, max(end.ended_s for end in agents.served)) == (20, 50.0)
