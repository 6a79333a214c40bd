"""What Prometheus learns of every request."""

from __future__ import annotations

import functools
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from synapse_gateway.access_log import RequestRecord

NAMES = ["app", "model", "engine"]
DURATIONS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
STALLS_S = (0.5, 1, 2.5, 5, 10, 30, 60)
MEANINGFUL_S = 0.5
"""Of audio: what is shorter takes as long, and its factor says nothing."""
FACTORS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)


class Metrics:
    """The gateway's series; `model` is the one that served, else the one asked for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register every series."""
        ProcessCollector(registry=registry)
        self._registry = registry
        self.requests = Counter(
            "synapse_gateway_requests",
            "Requests by outcome.",
            [*NAMES, "route", "status"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "synapse_gateway_fallbacks",
            "Requests answered by another model than the one asked for.",
            ["app", "asked", "served", "reason"],
            registry=registry,
        )
        self.tokens = Counter(
            "synapse_gateway_tokens",
            "Tokens by direction (in, out).",
            [*NAMES, "direction"],
            registry=registry,
        )
        self.duration = Histogram(
            "synapse_gateway_request_duration_seconds",
            "Time from a request's arrival to its last byte.",
            NAMES,
            buckets=DURATIONS_S,
            registry=registry,
        )
        self.first_token = Histogram(
            "synapse_gateway_time_to_first_token_seconds",
            "Time from a request's arrival to its first token.",
            NAMES,
            buckets=DURATIONS_S,
            registry=registry,
        )
        self.first_audio_byte = Histogram(
            "synapse_gateway_time_to_first_audio_byte_seconds",
            "Time from a request's arrival to the first byte of speech.",
            NAMES,
            buckets=DURATIONS_S,
            registry=registry,
        )
        self.real_time_factor = Histogram(
            "synapse_gateway_audio_real_time_factor",
            "Seconds a request took per second of audio, less its wait in line.",
            NAMES,
            buckets=FACTORS,
            registry=registry,
        )
        self.audio = Counter(
            "synapse_gateway_audio_seconds",
            "Seconds of audio heard or spoken, where the length is known.",
            NAMES,
            registry=registry,
        )
        self.transcription_queue_length = Gauge(
            "synapse_gateway_transcription_queue_length",
            "Recordings that wait until the model hears them.",
            ["model"],
            registry=registry,
        )
        self.upload_queue_length = Gauge(
            "synapse_gateway_upload_queue_length",
            "Uploads that wait for a place.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "synapse_gateway_requests_in_flight",
            "Requests that are being served.",
            ["app"],
            registry=registry,
        )
        self.engine_up = Gauge(
            "synapse_gateway_engine_up",
            "Whether an engine answers when it is asked for its health.",
            ["engine"],
            registry=registry,
        )
        self.usage_kept = Gauge(
            "synapse_gateway_usage_kept",
            "Whether what applications use can be written to the gateway's volume.",
            registry=registry,
        )
        self.wrong_keys = Counter(
            "synapse_gateway_wrong_keys",
            "Requests with a wrong key or none, by what was done: at_once, delayed or refused.",
            ["answered"],
            registry=registry,
        )
        self.refused = Counter(
            "synapse_gateway_refused_connections",
            "What never became a request, by reason.",
            ["reason"],
            registry=registry,
        )
        self.stalls = Histogram(
            "synapse_gateway_loop_stall_seconds",
            "How long nobody was served, where it was for more than a quarter of a second.",
            buckets=STALLS_S,
            registry=registry,
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer Prometheus, whatever the path."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return web.Response(body=encode(self._registry), headers={"content-type": kind})

    def count(self, record: RequestRecord) -> None:
        """Count a request that has ended."""
        served = record.served
        model = served or record.model
        # Names that a client made up must not become series: only known ones are labels.
        app = record.app.name if record.app else ""
        labels = (app, model.name if model else "", served.engine if served else "")
        _of(self.requests, *labels, record.route, str(record.status)).inc()
        if served is None:
            return
        _of(self.duration, *labels).observe(record.elapsed_s())
        if record.first_token_s is not None:
            _of(self.first_token, *labels).observe(record.first_token_s)
        _of(self.tokens, *labels, "in").inc(record.tokens_in or 0)
        _of(self.tokens, *labels, "out").inc(record.tokens_out or 0)
        if record.kind == "speech" and record.first_byte_s is not None:
            _of(self.first_audio_byte, *labels).observe(record.first_byte_s)
        if record.audio_s:
            _of(self.audio, *labels).inc(record.audio_s)
        if record.audio_s and record.audio_s >= MEANINGFUL_S:
            work_s = record.elapsed_s() - (record.waited_s or 0.0)
            _of(self.real_time_factor, *labels).observe(work_s / record.audio_s)
        if record.model and served.name != record.model.name:
            reason = record.reason or "unknown"
            _of(self.fallbacks, app, record.model.name, served.name, reason).inc()


@functools.cache
def _of(metric: Any, *labels: str) -> Any:
    """Return the series with these labels; the library would look long for it every time."""
    return metric.labels(*labels)
