"""Prometheus metrics with standard names and units."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from synapse_arbiter.engine.result import TransitionResult
from synapse_arbiter.events.status_model import Status
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.state import QueuedRequest

PREFIX = "synapse_arbiter_"
WAIT_S = (0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320)
STEP_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900)
ERROR_S = (-30, -10, -5, -2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The series of one arbiter."""

    def __init__(self) -> None:
        """Start all of them at zero, in a registry of their own."""
        self.registry = CollectorRegistry(auto_describe=True)
        self._children: dict[tuple[str, bool, Priority], tuple[Counter, Histogram]] = {}
        self.requests = self._counter("requests", "Requests admitted.", "model", "woke")
        self.refusals = self._counter("refusals", "Our own error answers.", "model", "reason")
        self.transitions = self._counter("transitions", "Done to the GPU.", "kind", "result")
        self.residency = self._counter("residency_seconds", "Time on the GPU.", "model")
        self.wait = self._histogram("wait_seconds", "Wait.", WAIT_S, "model", "priority")
        self.prediction = self._histogram(
            "prediction_error_seconds", "Wait minus predicted wait.", ERROR_S, "model"
        )
        self.steps = self._histogram(
            "step_duration_seconds", "Steps of transitions.", STEP_S, "step", "model"
        )
        self.waiting = self._gauge("waiting_requests", "Requests that wait.", "model")
        self.running = self._gauge("running_requests", "Requests in the engine.", "model")
        self.resident = self._gauge("resident", "1 for who holds the GPU.", "model")
        self.residual = self._gauge("residual_bytes", "Held while asleep.", "model")
        self.condition = self._gauge("engine_condition", "1 for what is.", "model", "condition")
        self.vram_used = self._gauge("vram_used_bytes", "Memory in use on the GPU.")
        self.vram_total = self._gauge("vram_total_bytes", "Memory of the GPU.")

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(PREFIX + name, what, labels, buckets=buckets, registry=self.registry)

    def admitted(self, request: QueuedRequest) -> None:
        """Count a request that starts to run, and how well its wait was predicted."""
        key = request.model, request.woke, request.priority
        found = self._children.get(key)
        if found is None:  # finding a label's series costs more than counting in it
            count = self.requests.labels(request.model, str(request.woke).lower())
            found = count, self.wait.labels(request.model, request.priority.value)
            self._children[key] = found
        count, wait = found
        count.inc()
        wait.observe(request.waited_s)
        if request.waited_s:
            error_s = request.waited_s - request.predicted_s
            self.prediction.labels(request.model).observe(error_s)

    def transition(self, work: str, outcome: TransitionResult) -> None:
        """Count one transition and the time of its steps."""
        self.transitions.labels(work, "failed" if outcome.broken else "done").inc()
        for (step, model), seconds in outcome.steps_s.items():
            self.steps.labels(step, model).observe(seconds)

    def text(self, status: Status) -> bytes:
        """Render everything in Prometheus' text format, the gauges as of this status."""
        gpu = status.gpu
        self.vram_total.set(gpu.total_bytes)
        if gpu.used_bytes is not None:
            self.vram_used.set(gpu.used_bytes)
        self.condition.clear()
        for model in status.models:
            self.waiting.labels(model.name).set(model.waiting)
            self.running.labels(model.name).set(model.running)
            self.condition.labels(model.name, model.state).set(1)
            if model.residual_bytes is not None:
                self.residual.labels(model.name).set(model.residual_bytes)
            self.resident.labels(model.name).set(model.name == gpu.resident)
        return generate_latest(self.registry)
