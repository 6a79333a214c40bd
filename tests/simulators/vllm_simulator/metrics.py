"""What GET /metrics shows, under vLLM's names."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from vllm_simulator.generation import Generation
from vllm_simulator.scheduler import Scheduler
from vllm_simulator.versions import Version

_LABELS = ("engine", "model_name")
# As vLLM counts them; each is there from the start.
_FINISHED = ("stop", "length", "abort", "error", "repetition")
_OPERATION_BUCKETS = (0.01, 0.1, 1, 10, 30, 60, 120, 300, 600)


class EngineMetrics:
    """The metrics of one engine, in a registry of its own."""

    def __init__(
        self, model: str, scheduler: Scheduler, version: Version, *, writes: bool = True
    ) -> None:
        """Register all metrics; running and waiting are read from the scheduler.

        An engine that does not write ends every request in the step that began it, so between the
        steps it shows none that runs, and counts no token.
        """
        self._registry = CollectorRegistry()
        self._writes = writes
        self._version = version
        self._operated = False
        self._names = {"engine": "0", "model_name": model}
        running = self._gauge("vllm:num_requests_running", "Requests in the execution batch.")
        running.labels(**self._names).set_function(lambda: len(scheduler.running) if writes else 0)
        waiting = self._gauge("vllm:num_requests_waiting", "Requests waiting for a place.")
        waiting.labels(**self._names).set_function(lambda: len(scheduler.waiting))
        usage = self._gauge("vllm:kv_cache_usage_perc", "KV cache in use, 1 is all.")
        usage.labels(**self._names).set_function(lambda: min(1.0, len(scheduler.running) / 100))
        self._sleep_state = Gauge(
            "vllm:engine_sleep_state",
            "Engine sleep state.",
            (*_LABELS, "sleep_state"),
            registry=self._registry,
        )
        self._duration = Histogram(
            "vllm:sleep_mode_operation_duration_seconds",
            "Duration of one sleep-mode operation.",
            ["operation"],
            buckets=_OPERATION_BUCKETS,
            registry=None,
        )
        self._in_flight = Gauge(
            "vllm:sleep_mode_operations_in_flight",
            "Sleep-mode operations under way.",
            ["operation"],
            registry=None,
        )
        self._success = Counter(
            "vllm:request_success",
            "Finished requests.",
            (*_LABELS, "finished_reason"),
            registry=self._registry,
        )
        for reason in _FINISHED:
            self._success.labels(**self._names, finished_reason=reason)
        self._prompt = self._counter("vllm:prompt_tokens", "Prompt tokens.")
        self._generated = self._counter("vllm:generation_tokens", "Generated tokens.")
        self._preemptions = self._counter("vllm:num_preemptions", "Preemptions.")
        for counter in (self._prompt, self._generated, self._preemptions):
            counter.labels(**self._names)
        self._latency = Histogram(
            "vllm:e2e_request_latency_seconds",
            "Time from arrival to end.",
            _LABELS,
            registry=self._registry,
        )
        self._latency.labels(**self._names)
        started = Gauge(
            "process_start_time_seconds", "When the process started.", registry=self._registry
        )
        started.set_to_current_time()
        self.record_sleep_state(awake=True, level=0)

    def record_sleep_state(self, *, awake: bool, level: int) -> None:
        """Note the state after a successful operation; a failed one changes nothing, as in vLLM."""
        states = {
            "awake": awake,
            "weights_offloaded": not awake and level == 1,
            "discard_all": not awake and level == 2,
        }
        for state, value in states.items():
            self._sleep_state.labels(**self._names, sleep_state=state).set(value)

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Measure one sleep-mode operation, also when it fails.

        Nothing is shown of these metrics before the first operation.
        """
        if not self._operated:
            self._operated = True
            self._registry.register(self._duration)
            if self._version.counts_sleep_operations:
                self._registry.register(self._in_flight)
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        self._in_flight.labels(name).inc()
        try:
            yield
        finally:
            self._in_flight.labels(name).dec()
            self._duration.labels(name).observe(loop.time() - started_s)

    def record_prompt(self, request: Generation) -> None:
        """Count what a request that begins to run has to read."""
        self._prompt.labels(**self._names).inc(request.prompt_tokens)

    def record_token(self) -> None:
        """Count one token when it is made: the counter of an engine that stands still does too."""
        if self._writes:
            self._generated.labels(**self._names).inc()

    def record_request(self, request: Generation) -> None:
        """Count a request that left the engine."""
        if request.finish_reason:
            self._success.labels(**self._names, finished_reason=request.finish_reason).inc()
        if request.ended_s is not None:
            self._latency.labels(**self._names).observe(request.ended_s - request.arrived_s)

    def text(self) -> bytes:
        """Render all metrics in the Prometheus text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, what: str) -> Gauge:
        return Gauge(name, what, _LABELS, registry=self._registry)

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(name, what, _LABELS, registry=self._registry)
