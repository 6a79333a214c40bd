"""The scheduler with fake engines, for virtual time: requests are coroutines that sleep."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from math import inf
from typing import Any

from harness.fakes import FakeEngine, FakeRecycler, FakeVram, fake_settings
from synapse_arbiter.engine.transitions import Transitions
from synapse_arbiter.errors import RefusedError
from synapse_arbiter.events.event_log import EventLog
from synapse_arbiter.events.metrics import Metrics
from synapse_arbiter.policy.line import NOBODY, Asker
from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.scheduling.poller import Poller
from synapse_arbiter.scheduling.scheduler import Scheduler
from synapse_arbiter.state import QueuedRequest


class SchedulerHarness:
    """Everything one test needs; made inside a running event loop."""

    def __init__(self, *names: str, awake: str | None = None, **settings: Any) -> None:
        """Make engines that sleep, but for one, and a scheduler that has not started."""
        self.log: list[tuple[str, str]] = []
        self.vram = FakeVram()
        self.engines = {name: FakeEngine(name, self.vram, log=self.log) for name in names}
        if awake is not None:
            self.engines[awake].awaken()
        self.recycler = FakeRecycler(self.engines)
        self.settings = fake_settings(names, **settings)
        moves = Transitions(self.settings, self.engines, self.vram, self.recycler)
        self.event_log = EventLog(Metrics())
        self.scheduler = Scheduler(self.settings, moves, self.event_log)
        self.watch = Poller(self.scheduler, self.engines, self.vram, 5.0)
        self.order: dict[tuple[str, Priority, Asker], list[int]] = defaultdict(list)
        self._arrivals = 0

    async def start(self) -> "SchedulerHarness":
        """Let the scheduler learn what is going on."""
        self.scheduler.start()
        await self.quiet()
        self.log.clear()
        return self

    async def quiet(self) -> None:
        """Wait until nothing is being done to the GPU."""
        while (operation := self.scheduler.state.operation) is not None:
            assert operation.task is not None
            await asyncio.wait([operation.task])

    async def until(self, condition: Callable[[], object], limit_s: float = 1000.0) -> None:
        """Let virtual time pass until something is so."""
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110  (virtual time costs nothing)
                await asyncio.sleep(0.05)

    async def look(self) -> None:
        """Let the watch look once, and wait for what follows from it."""
        await self.watch.look()
        await self.quiet()

    async def ask(
        self,
        model: str,
        service_s: float = 1.0,
        priority: Priority = Priority.INTERACTIVE,
        budget_s: float = inf,
        asker: Asker = NOBODY,
    ) -> str:
        """Be one request; return "answered", or the code of the refusal."""
        loop = asyncio.get_running_loop()
        request = QueuedRequest(model, priority, asker, loop.time(), budget_s)
        task = asyncio.current_task()
        assert task is not None
        request.on_cut = task.cancel
        self._arrivals += 1
        number = self._arrivals
        answered = False
        try:
            self.scheduler.admission.arrive(request)
            await self.scheduler.admission.admitted(request)
            assert self.resident == model, f"{model} was let into an engine that is not awake"
            self.order[model, priority, asker].append(number)
            await asyncio.sleep(service_s)
            answered = True
            return "answered"
        except RefusedError as refused:
            return refused.code
        except asyncio.CancelledError:
            if request.cut is None:
                raise
            task.uncancel()
            return request.cut.code
        finally:
            self.scheduler.admission.leave(request, answered)

    @property
    def resident(self) -> str | None:
        """Name the resident."""
        view = self.scheduler.state.gpu.resident
        return None if view is None else view.name

    def condition(self, model: str) -> str:
        """Say what is believed of an engine."""
        return self.scheduler.state.engine_states[model].condition.value
