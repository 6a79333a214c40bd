"""Two small scenes, with the figures that people ask for; a switch takes two seconds."""

from gpu_sim.facts import Engine, Request
from gpu_sim.gpu import GpuSim, Policy

LOAD = Engine(sleep_s=0.0, wake_s=2.0)
SLEEP_AND_WAKE = Engine(sleep_s=0.5, wake_s=1.5)
ANSWER_S = 0.5
THINK_S = 0.2
BUSY_S = 30.0


def busy_and_rare(policy: Policy, engine: Engine, rare: int) -> GpuSim:
    """Two clients keep A busy for 30 s, taking turns; one request for B arrives after 2 s."""

    def follow(now_s: float, request: Request) -> list[Request]:
        goes_on = request.client is not None and now_s < BUSY_S
        return [Request(now_s + 0.001, "A", ANSWER_S, request.client)] if goes_on else []

    busy = [Request(0.0, "A", ANSWER_S / 2, 1), Request(0.0, "A", ANSWER_S, 2)]
    sim = GpuSim({"A": engine, "B": engine}, policy, follow=follow)
    return sim.run([*busy, *[Request(2.0, "B", ANSWER_S)] * rare])


def two_agents(policy: Policy, engine: Engine) -> GpuSim:
    """Two agents, each with its own model, ask ten times, one request after the other."""

    def follow(now_s: float, request: Request) -> list[Request]:
        left = (request.client or 0) - 1
        return [Request(now_s + THINK_S, request.model, ANSWER_S, left)] if left else []

    sim = GpuSim({"A": engine, "B": engine}, policy, follow=follow)
    return sim.run([Request(0.0, "A", ANSWER_S, 10), Request(0.0, "B", ANSWER_S, 10)])


def answers_for(sim: GpuSim, model: str) -> int:
    """Count the answers of a model within the busy time."""
    return sum(end.request.model == model and end.ended_s <= BUSY_S for end in sim.served)
