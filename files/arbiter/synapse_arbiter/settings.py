"""What the arbiter is told: frozen facts about the card, its models and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from synapse_arbiter.policy_types import Rules


@dataclass(frozen=True, slots=True)
class Model:
    """One vLLM engine of the card and what is believed of it before the first measurement."""

    name: str
    url: str
    kind: str
    vram_gib: float
    concurrency: int
    max_wait_s: float
    sleep_s: float
    wake_s: float
    answer_s: float
    boot_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each wait may last, and how much may be held."""

    drain_s: float
    quiet_s: float
    sleep_s: float
    first_sleep_s: float
    wake_s: float
    verify_s: float
    canary_s: float
    boot_s: float
    recycle_s: float
    connect_s: float
    answer_s: float
    stop_s: float
    watch_s: float
    patience_s: float
    body_mib: float
    queue: int


@dataclass(frozen=True, slots=True)
class Card:
    """The card: its size, where its memory is read, and when an engine counts as leaking."""

    vram_gib: float
    source: str
    leak_gib: float
    canary_every: int


@dataclass(frozen=True, slots=True)
class Recycle:
    """How an engine is replaced: `none`, a `command`, or deleting its pod in `kubernetes`."""

    how: str
    command: tuple[str, ...]
    namespace: str
    pod: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the arbiter is told."""

    host: str
    port: int
    models: tuple[Model, ...]
    apps: dict[str, float]
    default_model: str | None
    admin_token_file: str | None
    card: Card
    rules: Rules
    limits: Limits
    recycle: Recycle
