"""What Prometheus learns of every request for speech."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

FIRST_BYTE_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
FACTORS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)


class Metrics:
    """The server's series."""

    def __init__(self) -> None:
        """Register every series."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "synapse_speech_requests", "Requests by outcome.", ["status"], registry=registry
        )
        self.refusals = Counter(
            "synapse_speech_refusals", "Refused requests by code.", ["code"], registry=registry
        )
        self.first_byte = Histogram(
            "synapse_speech_time_to_first_audio_byte_seconds",
            "Time from a request's arrival to its first byte of audio.",
            ["model"],
            buckets=FIRST_BYTE_S,
            registry=registry,
        )
        self.real_time_factor = Histogram(
            "synapse_speech_real_time_factor",
            "Seconds of work per second of speech, without the waiting.",
            ["model"],
            buckets=FACTORS,
            registry=registry,
        )
        self.audio = Counter(
            "synapse_speech_audio_seconds", "Seconds spoken.", ["model"], registry=registry
        )
        self.sentences = Counter(
            "synapse_speech_sentences", "Sentences spoken.", ["model"], registry=registry
        )
        self.in_flight = Gauge(
            "synapse_speech_requests_in_flight",
            "Requests that are held, speaking or waiting.",
            registry=registry,
        )
        self.waiting = Gauge(
            "synapse_speech_sentences_waiting",
            "Sentences that wait for a worker.",
            registry=registry,
        )
