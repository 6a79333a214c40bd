"""How good the arbiter's predictions are: every arrival is predicted, then compared."""

from dataclasses import dataclass, field

from gpu_sim.facts import Request, Served
from gpu_sim.gpu import GpuSim
from gpu_sim.workloads import ENGINE, Workload
from synapse_arbiter.policy.decide import decide
from synapse_arbiter.policy.estimates import Duration, ModelEstimates
from synapse_arbiter.policy.forecast import predict_wait


@dataclass(slots=True)
class Forecaster:
    """Watches a simulation: predicts what has to wait and learns from what ended."""

    sim: GpuSim
    known: dict[str, ModelEstimates] = field(init=False)
    predicted_s: dict[Request, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know the switch times from the start; drains and answers are to be learned."""
        self.known = {
            name: ModelEstimates(Duration(engine.sleep_s), Duration(engine.wake_s), Duration(0.0))
            for name, engine in self.sim.engines.items()
        }
        self.sim.on_arrival = self.arrives
        self.sim.on_end = self.ends

    def arrives(self, request: Request) -> None:
        """Predict the wait of a request that cannot run at once."""
        gpu, now_s = self.sim.gpu, self.sim.now_s
        if not gpu.passes(gpu.models[request.model], now_s):
            prediction = predict_wait(gpu, self.known, request.model, request.priority, now_s)
            self.predicted_s[request] = prediction.wait_s

    def ends(self, end: Served) -> None:
        """Learn from an answer, and from a drain when it was the last to run."""
        model = self.sim.gpu.models[end.request.model]
        if end.admitted_s is not None:
            self.known[model.name].service.add(end.ended_s - end.admitted_s)
        if self.sim.gpu.gate_closed and not self.sim.gpu.in_flight:
            self.known[model.name].drain.add(end.ended_s - model.gate_closed_s)

    def errors_s(self) -> list[float]:
        """Return actual minus predicted wait, for every request that waited and was served."""
        return [
            end.admitted_s - end.request.at_s - self.predicted_s[end.request]
            for end in self.sim.served
            if end.admitted_s is not None and end.request in self.predicted_s
        ]


def forecast(workload: Workload) -> list[float]:
    """Play a workload under our policy and return the errors of the predictions."""
    requests, follow = workload.make()
    sim = GpuSim(dict.fromkeys(workload.models, ENGINE), decide, follow=follow)
    forecaster = Forecaster(sim)
    sim.run(requests, workload.horizon_s)
    return forecaster.errors_s()
