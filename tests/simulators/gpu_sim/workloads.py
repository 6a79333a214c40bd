"""The five workloads W1-W5 and two small scenes; every one is the same for every policy."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from gpu_sim.facts import Engine, Request
from gpu_sim.gpu import Follow, GpuSim, Policy, nothing_follows
from synapse_arbiter.policy.types import Rules

HORIZON_S = 1800.0
LEAST_SERVICE_S = 0.2
ENGINE = Engine(sleep_s=0.5, wake_s=1.5)
DEFAULTS = Rules()


@dataclass(frozen=True, slots=True)
class Workload:
    """Some models, what arrives for them, and for how long; `make` starts from a fixed seed."""

    name: str
    title: str
    models: str
    make: Callable[[], tuple[list[Request], Follow]]
    horizon_s: float = HORIZON_S

    def run(self, policy: Policy, rules: Rules = DEFAULTS) -> GpuSim:
        """Play the workload under a policy, every switch taking two seconds."""
        requests, follow = self.make()
        sim = GpuSim(dict.fromkeys(self.models, ENGINE), policy, rules, follow)
        return sim.run(requests, self.horizon_s)


def service_s(chance: random.Random, mean_s: float) -> float:
    """Draw the length of an answer."""
    return max(LEAST_SERVICE_S, chance.gammavariate(2, mean_s / 2))


def poisson(rates: dict[str, float], mean_s: float, seed: int) -> list[Request]:
    """Make an open loop: requests per second for each model, answers of this mean length."""
    chance = random.Random(seed)
    requests = []
    for model, rate in rates.items():
        at_s = chance.expovariate(rate)
        while at_s <= HORIZON_S:
            requests.append(Request(at_s, model, service_s(chance, mean_s)))
            at_s += chance.expovariate(rate)
    return requests


def closed_loop(think_s: float, mean_s: float, seed: int) -> Follow:
    """Make clients that think after an answer and then ask again."""
    chance = random.Random(seed)

    def follow(now_s: float, request: Request) -> list[Request]:
        if request.client is None:
            return []
        at_s = now_s + chance.expovariate(1 / think_s)
        return [Request(at_s, request.model, service_s(chance, mean_s), request.client)]

    return follow


def two_agents() -> tuple[list[Request], Follow]:
    """W1."""
    return [Request(0, "A", 2, 1), Request(0.1, "B", 2, 2)], closed_loop(1.0, 2.0, seed=1)


def rare_beside_busy() -> tuple[list[Request], Follow]:
    """W2."""
    busy = [Request(0.3 * client, "A", 4, client) for client in range(4)]
    return busy + poisson({"B": 1 / 30}, 4, seed=3), closed_loop(0.01, 4.0, seed=2)


def zipf(load: float, seed: int) -> tuple[list[Request], Follow]:
    """W3 and W5."""
    rates = {"A": 0.33, "B": 0.15, "C": 0.08, "D": 0.04}
    requests = poisson({model: load * rate for model, rate in rates.items()}, 3, seed)
    return requests, nothing_follows


def bursts() -> tuple[list[Request], Follow]:
    """W4."""
    requests = poisson({"A": 0.2}, 3, seed=6)
    chance = random.Random(9)
    at_s = 0.0
    while at_s < HORIZON_S:
        at_s += chance.expovariate(1 / 20)
        model = chance.choice("BCD")
        for number in range(8):
            length_s = chance.gammavariate(2, 1.5) + LEAST_SERVICE_S
            requests.append(Request(at_s + 0.05 * number, model, length_s))
    return requests, nothing_follows


WORKLOADS = [
    Workload("W1", "two sequential clients, one on A, one on B", "AB", two_agents),
    Workload("W2", "four clients keep A busy, rare requests for B", "AB", rare_beside_busy),
    Workload("W3", "four models, Zipf, 0.6 requests a second", "ABCD", lambda: zipf(1, seed=5)),
    Workload("W4", "bursts of eight on B, C or D over a quiet A", "ABCD", bursts),
    Workload("W5", "as W3, 1.2 requests a second", "ABCD", lambda: zipf(2, seed=7)),
]
