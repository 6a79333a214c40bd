"""Builds the `Status` that the page shows out of the scheduler's state; changes nothing."""

from __future__ import annotations

import asyncio
import time
from math import isfinite

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.vram import Remembered
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.events.status_model import (
    Activity,
    GpuStatus,
    ModelStatus,
    Phase,
    Status,
)
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import ModelView
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.state import Work

GIB = 1024**3


class Snapshot:
    """Reads one arbiter."""

    def __init__(
        self, settings: Settings, scheduler: Scheduler, vram: Remembered, event_log: EventLog
    ) -> None:
        """Read this scheduler, gauge and event_log."""
        self._settings = settings
        self._scheduler = scheduler
        self._state = scheduler.state
        self._vram = vram
        self._event_log = event_log
        self._loop = asyncio.get_running_loop()
        self._vram_gib = {model.name: model.vram_gib for model in settings.models}

    def read(self) -> Status:
        """Describe everything as it is now."""
        state, event_log = self._state, self._event_log
        phase = Phase.READY if state.ready else Phase.STARTING
        event_log.forget_old()
        return Status(
            time_s=time.time(),
            phase=Phase.STOPPING if state.stopping else phase,
            gpu=self._gpu(),
            models=[self._model(view) for view in state.gpu.models.values()],
            timeline=list(event_log.timeline),
            decisions=list(event_log.decisions),
            switches=sum(span.kind == Work.SWITCH for span in event_log.timeline),
            actions_enabled=self._settings.admin_token_file is not None,
        )

    def _gpu(self) -> GpuStatus:
        state, gpu = self._state, self._state.gpu
        resident = gpu.resident
        used_gib = self._vram.last_gib
        contested = resident is not None and not gpu.gate_closed and isfinite(gpu.serve_until_s)
        return GpuStatus(
            total_bytes=int(self._settings.gpu.vram_gib * GIB),
            used_bytes=None if used_gib is None else int(used_gib * GIB),
            resident=resident.name if resident is not None else None,
            resident_since_s=self._unix(gpu.resident_since_s) if resident is not None else None,
            gate_open=not gpu.gate_closed,
            turn_ends_s=self._unix(gpu.serve_until_s) if contested else None,
            activity=self._activity(),
            pinned=gpu.pinned,
            released_until_s=self._unix(state.released_until_s) if gpu.released else None,
            default=gpu.default,
        )

    def _activity(self) -> Activity | None:
        operation = self._state.operation
        if operation is None:
            return None
        expected_s = None
        if not operation.work.is_maintenance and operation.work is not Work.RECONCILE:
            expected_s = self._state.gpu.moving_until_s - operation.started_s
        since_s = self._unix(operation.started_s)
        return Activity(operation.work, operation.model, since_s or 0.0, expected_s)

    def _model(self, view: ModelView) -> ModelStatus:
        name, now_s = view.name, self._loop.time()
        engine_state = self._state.engine_states[name]
        stats = self._scheduler.stats[name]
        queue, gpu = view.queue, self._state.gpu
        learning = self._scheduler.learning
        wait_s = learning.predict(gpu, name, Priority.INTERACTIVE, now_s).wait_s
        awake_gib, asleep_gib = stats.awake_gib, stats.residual_gib
        if asleep_gib is not None:
            asleep_gib += stats.leaks.leaked_gib
        if awake_gib is not None:  # what a wake takes comes on top of what sleep leaves
            awake_gib += asleep_gib or 0.0
        return ModelStatus(
            name=name,
            state=engine_state.condition.value,
            reason="" if engine_state.condition.usable else engine_state.told(now_s),
            since_s=self._unix(engine_state.since_s),
            running=gpu.in_flight if gpu.resident is view else 0,
            capacity=view.capacity,
            waiting=len(queue),
            waiting_batch=len(queue) - queue.interactive,
            oldest_since_s=self._unix(queue.oldest_s),
            predicted_wait_s=wait_s if isfinite(wait_s) else None,
            vram_bytes=int((awake_gib or self._vram_gib[name]) * GIB),
            residual_bytes=None if asleep_gib is None else int(asleep_gib * GIB),
            switch_s=view.switch_cost_s,
            answered=self._event_log.answered[name],
            refused=self._event_log.refusals[name],
            cycles=stats.sleeps,
        )

    def _unix(self, loop_s: float) -> float | None:
        """Turn a moment of the event loop's clock into Unix time."""
        return time.time() + loop_s - self._loop.time() if isfinite(loop_s) else None
