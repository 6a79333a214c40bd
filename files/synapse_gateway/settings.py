"""The numbers that the gateway works with; the role sets them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from synapse_common.engines import GATEWAY_CONNECTIONS, GATEWAY_TEXT_MIB_AT_MOST
from synapse_common.faults import SeveralError
from synapse_common.strict import Count, Listed, Network, Port, Positive, Strict, Text


class Settings(Strict):
    """What an operator may set about the gateway; each number has its unit in its name."""

    port: Port = 8000
    """Where applications ask."""
    inner_port: Port = 8001
    """Where LiteLLM asks for models whose own API it does not speak well enough."""
    metrics_port: Port = 9090
    """Where Prometheus reads."""
    json_body_mib: Count = 20
    """Largest JSON body, with its embedded images."""
    json_text_mib: Annotated[Count, Field(le=GATEWAY_TEXT_MIB_AT_MOST)] = 8
    """Largest JSON body without what it holds in base64; at 10, parsing takes about 40 ms, and the
    arbiter takes 12, as numbers may be written longer than they came."""
    translated_mib: Count = 96
    """Bodies that LiteLLM holds at the same time; it takes up to ten times as much for them."""
    memory_mib: Annotated[Count, Field(ge=256)] = 1024
    """The pod's memory: what requests in flight may take is derived from it."""
    audio_body_mib: Count = 26
    """Largest audio form."""
    uploads_at_once: Count = 16
    """Uploads that are held, on disk, at the same time; further ones wait for a place."""
    upload_least_kib_s: Count = 1
    """The least pace of an upload, in KiB a second: a slower one is refused after ten seconds."""
    recording_limit_s: Positive = 7200.0
    """The longest recording: hours of sound fit into a small file."""
    spoken_characters: Count = 20_000
    """The longest text that is spoken."""
    transcription_concurrency: Count = 4
    """Recordings that one model transcribes at the same time; further ones wait in the queue, and
    a short one of an interactive application has one turn more."""
    transcription_wait_s: Positive = 600.0
    """The longest wait in line, for a place to upload and for a turn together."""
    audio_silence_s: Positive = 900.0
    """How long a speech engine may be silent in a transcription, which it may answer at its end."""
    body_timeout_s: Positive = 60.0
    """How long a client may take to send its body."""
    name_timeout_s: Positive = 1.0
    """How long a name server may take; then the address that it told last is used."""
    header_timeout_s: Positive = 10.0
    """How long a client may take to send a request's headers."""
    connections: Count = GATEWAY_CONNECTIONS
    """Connections at once; for a further one an idle one is closed, or it is refused."""
    connections_per_address: Count = 512
    """The same of one address; of IPv6, of one /64 network."""
    trusted_proxies: Listed[Network] = ()
    """Proxies in front of the gateway, whose X-Forwarded-For is believed."""
    connect_timeout_s: Positive = 2.0
    """How long an engine may take to accept a connection, with the look for its address."""
    sending_timeout_s: Positive = 60.0
    """How long an engine may take nothing of a request that is sent to it."""
    timeout_s: Positive = 600.0
    """How long a chat model may take for a whole answer, with its wait for the GPU."""
    stream_timeout_s: Positive = 300.0
    """How long an engine may say nothing before a stream's first word, and between two events."""
    embedding_timeout_s: Positive = 300.0
    """How long vectors may take, with the wait for the GPU."""
    rerank_timeout_s: Positive = 300.0
    """How long ranks and scores may take, with the wait for the GPU."""
    speaking_timeout_s: Positive = 120.0
    """How long a speech engine may be silent before the first sound, and within it."""
    client_pause_s: Positive = 60.0
    """How long a client may take nothing of its answer."""
    health_beat_s: Positive = 5.0
    """Every so often each of our engines is asked for its health, and has as long to answer."""
    health_misses: Count = 3
    """An engine that misses so many beats in a row is away."""
    parallel_requests: Count = 64
    """Requests of one application at one model at the same time, where its entry is silent."""
    requests_at_once: Count = 512
    """Requests in flight, of all applications together."""
    app_requests_at_once: Count = 256
    """Requests in flight of one application, at all models together."""
    keepalive_s: Positive = 15.0
    """After so long a silence a client that waits for a stream gets a comment."""
    total_timeout_s: Positive = 1800.0
    """The longest time for one request with all its fallbacks."""
    drain_timeout_s: Positive = 30.0
    """How long requests in flight may go on when the gateway is stopped."""
    monthly_usd: Positive | None = None
    """What models outside may cost in a calendar month, in UTC, all applications together."""
    cors_origins: Listed[Text] = ()
    """Origins of web pages that may ask; `*`: any."""
    voices_without_key: bool = False
    """Whether anybody may read the list of voices."""
    media_domains: Listed[Text] = ()
    """Hosts from which engines may fetch pictures; empty: pictures come as data only."""
    hash_people: bool = True
    """Whether log lines name the people behind an application by a hash alone."""
    log_prompts: bool = False
    """Whether log lines contain the prompt."""

    def silence_s(self, kind: str, *, stream: bool = False) -> float:
        """Return how long an engine may say nothing to a request for this kind of model."""
        limits_s = {
            "chat": self.stream_timeout_s if stream else self.timeout_s,
            "embedding": self.embedding_timeout_s,
            "rerank": self.rerank_timeout_s,
            "transcription": self.audio_silence_s,
            "speech": self.speaking_timeout_s,
        }
        return limits_s[kind]

    @model_validator(mode="after")
    def _go_together(self) -> Settings:
        """Refuse what would fail only once a request comes."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        if self.metrics_port == self.port:
            found.append((("metrics_port",), f"must be another than port, not {self.port}"))
        if self.inner_port in (self.port, self.metrics_port):
            found.append((("inner_port",), f"must be a port of its own, not {self.inner_port}"))
        if self.requests_at_once > self.connections:
            text = f"must not exceed connections ({self.connections})"
            found.append((("requests_at_once",), f"{text}, not {self.requests_at_once}"))
        if self.app_requests_at_once > self.requests_at_once:
            text = f"must not exceed requests_at_once ({self.requests_at_once})"
            found.append((("app_requests_at_once",), f"{text}, not {self.app_requests_at_once}"))
        if self.connect_timeout_s > self.total_timeout_s:
            text = f"must not exceed total_timeout_s ({self.total_timeout_s:g})"
            found.append((("connect_timeout_s",), f"{text}, not {self.connect_timeout_s:g}"))
        if found:
            raise SeveralError(found)
        return self
