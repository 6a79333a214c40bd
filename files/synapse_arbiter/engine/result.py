"""The facts that transitions leave behind: what one did, and what is known of each engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from synapse_arbiter.engine.canary import Proof
from synapse_arbiter.engine.leaks import LeakWatch


@dataclass(slots=True)
class EngineStats:
    """What is known of one engine's life since its process started."""

    sleeps: int = 0
    wakes: int = 0
    baseline: Proof | None = None
    asleep_gib: float | None = None  # the GPU's use before the last wake, everybody asleep
    awake_gib: float | None = None  # what the last wake took
    residual_gib: float | None = None  # what it holds while asleep
    leaks: LeakWatch = field(default_factory=LeakWatch)


@dataclass(slots=True)
class TransitionResult:
    """What one transition did: who is awake now, who is broken and why, and how long it took."""

    resident: str | None = None
    asleep: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    steps_s: dict[tuple[str, str], float] = field(default_factory=dict)  # by step and model
    notes: list[str] = field(default_factory=list)
    used_gib: float | None = None  # the GPU's use after the last sleep

    @contextmanager
    def timed(self, step: str, name: str) -> Iterator[None]:
        """Add the time that passes inside to one step of one model."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            yield
        finally:
            passed_s = loop.time() - started_s
            self.steps_s[step, name] = self.steps_s.get((step, name), 0.0) + passed_s
