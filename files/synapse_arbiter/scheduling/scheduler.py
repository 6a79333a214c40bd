"""One owner of all state: events come in as plain calls, transitions go out as tasks.

Every method that changes state is a plain `def` on the event loop: nothing interrupts it, so
there is no lock, and no read goes stale before the change it decides. What takes time is a
task whose end is another event (`_ended`). Two transitions never overlap: `_begin` is the only
place that starts one, and it is called only while none is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from math import inf

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.result import TransitionResult
from synapse_arbiter.engine.transitions import Transitions, perform
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.policy.decide import decide
from synapse_arbiter.policy.types import Action, Decision, GpuView, ModelView
from synapse_arbiter.scheduling.admission import Admission
from synapse_arbiter.scheduling.boot_leases import BootLeases
from synapse_arbiter.scheduling.engine_health import EngineHealth
from synapse_arbiter.scheduling.learning import Learning
from synapse_arbiter.scheduling.observer import Observation, Observer
from synapse_arbiter.state import EngineState, Operation, State, Work

WORK = {Action.SWITCH: Work.SWITCH, Action.SLEEP: Work.SLEEP, Action.BOOT: Work.BOOT}


class Scheduler:
    """Who holds the GPU, who waits, and what is being done about it."""

    def __init__(self, settings: Settings, transitions: Transitions, event_log: EventLog) -> None:
        """Start out knowing nothing of the engines."""
        self._limits = settings.limits
        self._transitions = transitions
        self._event_log = event_log
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = inf
        learning = Learning(settings.models)
        models = {
            model.name: ModelView(
                model.name, model.concurrency, learning.known[model.name].switch_cost_s
            )
            for model in settings.models
        }
        gpu = GpuView(models, settings.rules, settings.default_model)
        self.state = State(gpu, {name: EngineState() for name in models})
        self.learning = learning
        self.stats = transitions.stats
        self.admission = Admission(
            self.state, learning, event_log, settings.limits.queue, self.apply_policy
        )
        self.engine_health = EngineHealth(
            self.state,
            self.admission,
            learning,
            transitions.stats,
            event_log,
            settings.gpu.leak_gib,
        )
        self._observer = Observer(
            self.state, self.engine_health, transitions.stats, settings.limits.hang_s
        )
        self.boots = BootLeases(self.state, self.apply_policy, self.engine_health)

    def __repr__(self) -> str:
        """Say in one sentence who has the GPU and what goes on."""
        gpu, operation = self.state.gpu, self.state.operation
        resident = gpu.resident.name if gpu.resident else "nobody"
        doing = f"{operation.work} {operation.model}" if operation else "serving"
        return (
            f"<Scheduler [{resident} is resident, {doing}, "
            f"{gpu.in_flight} running, {self.admission.waiting} waiting]>"
        )

    def start(self) -> None:
        """Learn from the engines themselves what is going on; requests wait meanwhile."""
        self._begin(Work.RECONCILE, None)

    def apply_policy(self) -> None:
        """Let the policy decide, and carry out its answer; call it after every event."""
        state, now_s = self.state, self._loop.time()
        self._pass_deadlines(now_s)
        self.boots.refresh(now_s)
        if state.operation is None:
            self._begin_maintenance()
        self.admission.refuse_closed()
        decision = decide(state.gpu, now_s)
        if decision.action is Action.SERVE:
            state.gpu.open_gate(decision.until_s)
            state.drain_until_s = inf
            self.admission.admit()
        elif decision.action is Action.CLOSE:
            state.gpu.close_gate(now_s)
            state.drain_since_s = now_s
            state.drain_until_s = now_s + self._limits.drain_s
        elif decision.action is not Action.STAY:
            self._carry_out(decision, now_s)
        self._note(decision)
        self._arm(min(decision.until_s, self._next_deadline(now_s)))

    def suspect(self, name: str) -> None:
        """Let an engine that failed a request prove itself."""
        self.engine_health.suspect(name)
        self.apply_policy()

    def observed(self, epoch: int, observations: Mapping[str, Observation]) -> None:
        """Take in what the watch saw since the given epoch."""
        self._observer.observe(epoch, observations, self._loop.time())
        self.apply_policy()

    async def stop(self) -> None:
        """Refuse who waits, let who runs finish within the limit, and end what is under way."""
        state, limit_s = self.state, self._limits.stop_s
        state.stopping = True
        self.apply_policy()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.admission.emptied(), limit_s)
        self.admission.cut("stopping", "The arbiter stopped before the answer ended.")
        task = state.operation.task if state.operation is not None else None
        if task is not None:
            await asyncio.wait([task], timeout=limit_s)
            task.cancel()
        self._arm(inf)

    def _pass_deadlines(self, now_s: float) -> None:
        state = self.state
        if now_s >= state.drain_until_s:
            state.drain_until_s = inf
            self.admission.cut(
                "drain_limit", "The answer took longer than the GPU could wait for it."
            )
        if now_s >= state.released_until_s:
            state.released_until_s = inf
            state.gpu.released = False
            self._event_log.say("operator", "reclaim", "lease_ended")

    def _begin_maintenance(self) -> None:
        """Begin the first chore that may begin; an engine is replaced only when nobody uses it.

        Nor while it is resident: it goes to sleep first, unless it hangs.
        """
        gpu = self.state.gpu
        for name, work in self.state.maintenance.items():
            view = gpu.models[name]
            resident = view is gpu.resident and not self.state.engine_states[name].hung
            in_use = resident or (view.available and view.queue)
            if not (work is Work.RECYCLE and in_use):
                del self.state.maintenance[name]
                self._begin(work, name)
                return

    def _carry_out(self, decision: Decision, now_s: float) -> None:
        """Begin what was decided, unless something must happen first. The cases:

        1. A chore is under way: its end decides again.
        2. A stuck engine holds the GPU's memory, or engines that started under an earlier
           arbiter may still say so: nobody comes in.
        3. The resident hangs: it can only be replaced.
        """
        state, work, model = self.state, WORK[decision.action], decision.model
        if state.operation is not None:  # (1)
            return
        impatient = work is Work.SWITCH and now_s < state.patience_until_s
        if impatient or (state.stuck and work is not Work.SLEEP):  # (2)
            return
        ask, resident = self.boots.oldest(), state.gpu.resident
        if resident is not None and state.engine_states[resident.name].hung:  # (3)
            return
        if work is Work.BOOT:
            model = ask.model if ask is not None else None
        elif work is Work.SLEEP:
            model = resident.name if resident is not None else None
        self._begin(work, model)

    def _begin(self, work: Work, model: str | None) -> None:
        state, now_s = self.state, self._loop.time()
        resident = state.gpu.resident.name if state.gpu.resident is not None else None
        if state.stopping and work is not Work.SLEEP:
            return
        lease = state.boots[model] if work is Work.BOOT and model is not None else None
        operation = state.operation = Operation(work, model, resident, now_s, lease)
        state.epoch += 1
        if not work.is_maintenance:
            target = model if work is Work.SWITCH else None
            expected_s = self.learning.expected_s(work, resident, model)
            if state.drain_until_s < inf and resident is not None:
                self.learning.drained(resident, now_s - state.drain_since_s)
            state.drain_until_s = inf
            state.gpu.start_moving(now_s, target, expected_s)
            self.engine_health.moving(operation, now_s)
        self._event_log.began(operation)
        operation.task = self._loop.create_task(self._perform(operation))

    async def _perform(self, operation: Operation) -> None:
        self._ended(operation, await perform(operation, self._transitions, self.state))

    def _ended(self, operation: Operation, outcome: TransitionResult) -> None:
        state, now_s = self.state, self._loop.time()
        state.operation = None
        state.epoch += 1
        if not operation.work.is_maintenance:
            resident = outcome.resident
            state.gpu.end_moving(state.gpu.models[resident] if resident else None, now_s)
        self.engine_health.apply(operation, outcome, now_s)
        if operation.lease is not None:
            self.boots.finish(operation.lease.model)
        if operation.work is Work.RECONCILE:
            state.ready = True
            if outcome.away:
                state.patience_until_s = now_s + self._limits.patience_s
        self._event_log.ended(operation, outcome, now_s - operation.started_s)
        self.apply_policy()

    def _note(self, decision: Decision) -> None:
        gpu = self.state.gpu
        resident = gpu.resident.name if gpu.resident is not None else None
        self._event_log.decided(decision, resident, self.admission.waiting, gpu.in_flight)

    def _next_deadline(self, now_s: float) -> float:
        """Say when something ends by itself."""
        state = self.state
        patience_s = state.patience_until_s if now_s < state.patience_until_s else inf
        boot_s = self.boots.next_s(now_s)
        return min(state.drain_until_s, state.released_until_s, patience_s, boot_s)

    def _arm(self, when_s: float) -> None:
        """Wake up at this moment, and at no other."""
        if self._timer is not None:
            if self._timer_s == when_s:
                return
            self._timer.cancel()
            self._timer = None
        self._timer_s = when_s
        if when_s < inf:
            self._timer = self._loop.call_at(when_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.apply_policy()
