"""One engine: requests, sleep and wake-up, and the ways in which they go wrong.

The order of events follows vLLM: vllm/v1/engine/core.py, vllm/v1/executor/abstract.py
and vllm/device_allocator/cumem.py.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from vllm_simulator.errors import CudaOutOfMemoryError, EngineDeadError, OperationFailedError
from vllm_simulator.faults import Faults, Parameters
from vllm_simulator.generation import History
from vllm_simulator.gpu import Gpu
from vllm_simulator.memory import TAGS, WEIGHTS, EngineMemory
from vllm_simulator.metrics import EngineMetrics
from vllm_simulator.scheduler import AbortedError, PauseState, Scheduler
from vllm_simulator.settings import GIB, Settings

# How long a server goes on after an assertion ended what answers its requests.
_ASSERTED_EXIT_S = 2.0


class Engine:
    """A simulated vLLM engine on a GPU."""

    def __init__(
        self,
        settings: Settings,
        gpu: Gpu,
        faults: Faults | None = None,
        counters: Counter[str] | None = None,
        history: History | None = None,
        on_death: Callable[[Parameters], None] = lambda _how: None,
    ) -> None:
        """Make an engine that has not booted; what is passed in outlives a restart."""
        found = settings.problems()
        if found:
            raise ValueError(f"{settings.model}: {' '.join(found)}")
        self.settings = settings
        self.gpu = gpu
        self.memory = EngineMemory(gpu, settings)
        self.scheduler = Scheduler(settings.max_num_seqs)
        self.faults = faults if faults is not None else Faults()
        writes = settings.kind == "generate"
        self.metrics = EngineMetrics(
            settings.model, self.scheduler, settings.behaviour, writes=writes
        )
        self.counters: Counter[str] = counters if counters is not None else Counter()
        self.history = history if history is not None else History()
        self.died_of: Parameters | None = None
        self.rejects_new = False
        self.weights_valid = True
        self.cycles = 0
        self._moving = asyncio.Event()
        self._moving.set()
        self._on_death = on_death
        self._operation = asyncio.Lock()

    @property
    def is_sleeping(self) -> bool:
        """Tell what GET /is_sleeping tells: also true for an engine that is merely paused."""
        return self.is_paused or bool(self.memory.sleeping)

    @property
    def is_paused(self) -> bool:
        """Tell whether requests are held back, by a pause or by sleep."""
        return self.scheduler.pause_state is not PauseState.UNPAUSED

    async def boot(self) -> None:
        """Load the model, or raise StartRefusedError as vLLM's start-up checks do."""
        await self.memory.boot()
        self.counters["boots"] += 1

    def die(self, how: Parameters) -> None:
        """End the engine process: requests fail, and its memory goes back unless `how` keeps it."""
        if self.died_of is not None:
            return
        self.died_of = how
        self.counters["deaths"] += 1
        self.scheduler.interrupt(EngineDeadError())
        if not how.get("keeps_memory"):
            self.memory.release()
        self._on_death(how)

    def stand_still(self, *, still: bool) -> None:
        """Stop everything that the core does, as SIGSTOP does, or let it go on."""
        if still:
            self._moving.clear()
        else:
            self._moving.set()
        self.scheduler.freeze(frozen=still)

    async def reach(self) -> None:
        """Wait until the core listens: for ever while it stands still, raise when it is dead."""
        await self._moving.wait()
        self.check_alive()

    async def sleep(self, level: int, mode: str) -> None:
        """Pause in the given mode, then free memory: level 0 none, 1 and 2 all but the context."""
        await self.reach()
        if self.faults.hits("sleep_hangs"):
            await asyncio.Event().wait()
        with self.metrics.operation("sleep"):
            await self._pause(mode)
            async with self._operation:
                if level > 0 and WEIGHTS not in self.memory.sleeping:
                    await self._sleep_memory(level)
        self.counters["sleeps"] += 1
        self.cycles += 1
        self.metrics.record_sleep_state(awake=False, level=level)
        dies = self.faults.strike("sleep_kills")
        if dies:
            self.die(dies)

    async def wake_up(self, tags: list[str] | None) -> bool:
        """Map the tags again and resume when all is resident; tell whether it is."""
        await self.reach()
        if self.faults.hits("wake_hangs"):
            await asyncio.Event().wait()
        if self.faults.hits("wake_stays_asleep"):
            return False
        with self.metrics.operation("wake"):
            async with self._operation:
                wanted = None if tags is None else [tag for tag in tags if tag != "scheduling"]
                if wanted is None or wanted:
                    await self._wake_memory(wanted)
        awake = not self.memory.sleeping
        if awake:
            self.counters["wakes"] += 1
            self.resume()
            self.metrics.record_sleep_state(awake=True, level=0)
        dies = self.faults.strike("wake_kills")
        if dies:
            self.die(dies)
        return awake

    async def pause(self, mode: str) -> None:
        """Hold requests back; abort and wait also reject new ones until resume."""
        await self.reach()
        self.rejects_new = mode != "keep"
        await self._pause(mode)

    def resume(self) -> None:
        """Let requests run, whether or not the memory is there: vLLM does not check either."""
        self.check_alive()
        self.rejects_new = False
        self.scheduler.set_pause(PauseState.UNPAUSED)

    def abort(self, request_ids: list[str]) -> int:
        """End the named requests, or all, with finish_reason abort; tell how many."""
        self.check_alive()
        if self.settings.kind != "generate" and (self.scheduler.running or self.scheduler.waiting):
            # vLLM asserts that whatever is aborted has text, so aborting a vector ends the server.
            self.die({"health": 503, "exits_after_s": _ASSERTED_EXIT_S})
            raise EngineDeadError
        return self.scheduler.interrupt(AbortedError(), request_ids)

    def release_kv_cache(self) -> None:
        """Drop the KV cache of a paused, idle and resident engine."""
        self.check_alive()
        if not self.is_paused or self.scheduler.running or self.scheduler.waiting:
            raise OperationFailedError("release_kv_cache_memory() requires a completed pause first")
        if self.memory.sleeping:
            raise OperationFailedError(
                "release_kv_cache_memory() requires all executor memory to be resident"
            )
        self.memory.discard_kv_cache()
        self.metrics.record_sleep_state(awake=False, level=0)

    def reload_weights(self) -> None:
        """Make the weights good again after a level 2 sleep."""
        self.check_alive()
        self.weights_valid = True

    async def _pause(self, mode: str) -> None:
        if mode == "abort":
            self.abort([])
        self.scheduler.set_pause(PauseState.PAUSED_ALL if mode == "keep" else PauseState.PAUSED_NEW)
        if mode != "keep":
            await self.scheduler.drained()

    async def _sleep_memory(self, level: int) -> None:
        # The first sleep allocates the pinned host memory, which is slow.
        seconds = self.settings.sleep_s if self.cycles else self.settings.first_sleep_s
        seconds += (self.faults.strike("sleep_slow") or {}).get("seconds", 0)
        leak = (self.faults.strike("leak") or {}).get("gib", 0)
        frees = not self.faults.hits("sleep_frees_nothing")
        before = set(self.memory.sleeping)
        try:
            await self.memory.sleep(seconds, frees=frees, leaks_bytes=int(leak * GIB))
            if self.faults.hits("sleep_fails"):
                self.memory.sleeping = before
                raise AssertionError("Memory usage increased after sleeping.")
        except AssertionError as error:
            self.counters["failed_sleeps"] += 1
            raise OperationFailedError(f"Call to sleep method failed: {error}") from error
        self.weights_valid = self.weights_valid and level < 2

    async def _wake_memory(self, tags: list[str] | None) -> None:
        asleep = self.memory.sleeping
        wanted = tuple(tag for tag in TAGS if tag in asleep and (tags is None or tag in tags))
        if not asleep or (tags is not None and not set(tags) <= asleep):
            return
        seconds = self.settings.wake_s * len(wanted) / len(TAGS)
        seconds += (self.faults.strike("wake_slow") or {}).get("seconds", 0)
        stop = (self.faults.strike("wake_out_of_memory") or {}).get("mapped_share", 1.0)
        try:
            await self.memory.wake(wanted, seconds, stop)
        except CudaOutOfMemoryError as error:
            self.counters["failed_wakes"] += 1
            raise OperationFailedError(f"Call to wake_up method failed: {error}") from error

    def check_alive(self) -> None:
        """Raise EngineDeadError when the engine process is gone."""
        if self.died_of is not None:
            raise EngineDeadError
