"""An engine with its HTTP server: start, restart, end, and several of them in one process."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from aiohttp import web

from vllm_simulator.engine import Engine
from vllm_simulator.errors import EngineDeadError, StartRefusedError
from vllm_simulator.faults import Faults, Parameters
from vllm_simulator.generation import History
from vllm_simulator.gpu import Claim, Gpu, free_bytes
from vllm_simulator.scheduler import AbortedError
from vllm_simulator.settings import GIB, Settings

_RETRY_S = 1.0
# How long connections take to deliver what was said last.
_FLUSH_S = 0.2
_Result = TypeVar("_Result")


class Port(Protocol):
    """Where the server listens."""

    async def open(self) -> None:
        """Listen, if it does not."""

    async def close(self) -> None:
        """Refuse connections."""


class Simulator:
    """One engine and what outlives it when it restarts: faults, counters, history."""

    def __init__(
        self,
        settings: Settings,
        gpu: Gpu,
        *,
        before_boot: Callable[[str], Awaitable[None]] | None = None,
        on_exit: Callable[[int], None] | None = None,
    ) -> None:
        """Prepare an engine.

        `before_boot` is called with the model's name before every start, as the wrapper in its
        container would; `on_exit` ends the process, without it the server restarts.
        """
        self.faults = Faults()
        self.counters: Counter[str] = Counter()
        self.history = History()
        self.gone = True
        # Its core was killed while a control call was open: the server heeds no SIGTERM any more.
        self.deaf = False
        self.port: Port | None = None
        self.refuses = False
        self._settings, self._gpu = settings, gpu
        self._before_boot, self._on_exit = before_boot, on_exit
        self._hog: Claim | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._restarting: asyncio.Task[Any] | None = None
        self.control_calls = 0
        self.connections: set[asyncio.Transport] = set()
        self.engine = self._new_engine()
        self.faults.on_change(self._react)

    async def boot(self) -> None:
        """Start the engine once, or raise StartRefusedError."""
        if self._before_boot:
            await self._before_boot(self._settings.model)
        await self.engine.boot()
        self.gone = self.deaf = self.refuses = False
        if self.port is not None:
            await self.port.open()

    def start(self, operation: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
        """Run an operation that goes on when its caller hangs up."""
        task = asyncio.get_running_loop().create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def control(self, operation: Coroutine[Any, Any, _Result]) -> _Result:
        """Run the operation of a control call, and never answer it if the core dies meanwhile."""
        self.control_calls += 1
        try:
            return await asyncio.shield(self.start(operation))
        except EngineDeadError:
            if self.deaf:
                await asyncio.Event().wait()
            raise
        finally:
            self.control_calls -= 1

    async def restart(self) -> None:
        """Go away, and boot again and again until the GPU has room, as a container does."""
        if self._restarting is not None:
            self._restarting.cancel()  # a process that is killed while it starts, starts again
        self._restarting = asyncio.current_task()
        self._vanish()
        self.faults.switch_off("core_hangs")  # of the process that is gone
        while True:
            self.engine = self._new_engine()
            try:
                return await self.boot()
            except (StartRefusedError, EngineDeadError):
                self.counters["failed_boots"] += 1
                self.engine.memory.release()
            await asyncio.sleep(_RETRY_S)

    def exit(self, code: int) -> None:
        """End as a killed process does: at once, without a word to anybody."""
        self._vanish()
        if self._on_exit:
            self._on_exit(code)
        else:
            self.start(self.restart())

    async def shut_down(self) -> None:
        """End as on SIGTERM: answers may go on for shutdown_timeout, then the rest is aborted."""
        await self._close_port()
        engine = self.engine
        if engine.died_of is None:
            try:
                async with asyncio.timeout(self._settings.shutdown_timeout):
                    await engine.scheduler.drained()
            except TimeoutError:
                engine.scheduler.interrupt(AbortedError())
        await asyncio.sleep(_FLUSH_S)

    async def close(self) -> None:
        """Stop what still runs and give the memory back."""
        self._vanish()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.engine.memory.release()
        self._free_hog()

    async def _close_port(self) -> None:
        self.refuses = True
        if self.port is not None:
            await self.port.close()

    def _vanish(self) -> None:
        """Break every connection and free the memory, as the kernel does."""
        self.gone = True
        self.engine.die({})
        self.engine.memory.release()
        for transport in list(self.connections):
            transport.abort()

    def _new_engine(self) -> Engine:
        return Engine(
            self._settings, self._gpu, self.faults, self.counters, self.history, self._follow
        )

    def _react(self, name: str, parameters: Parameters | None) -> None:
        """Carry out the faults that are events rather than habits."""
        if name == "vram_hog":
            self._free_hog()
            if parameters:
                self._take_hog(int(parameters["gib"] * GIB))
        elif name == "core_hangs":
            self.engine.stand_still(still=parameters is not None)
        elif parameters is None:
            return
        elif name == "dead":
            self.engine.die(parameters)
        elif name == "core_dies":
            self.faults.switch_off(name)
            self.start(self._lose_core(parameters))
        elif name == "restart":
            self.faults.switch_off(name)
            self.start(self.restart())
        elif name == "exit":
            self.faults.switch_off(name)
            self.exit(int(parameters["code"]))

    async def _lose_core(self, how: Parameters) -> None:
        """Follow vLLM: its server ends in good order, unless a control call keeps it waiting."""
        engine = self.engine
        self.deaf = self.control_calls > 0
        engine.memory.release()
        engine.scheduler.freeze(frozen=True)
        await asyncio.sleep(how["error_after_s"])
        engine.die({"health": 503})
        if self.deaf:
            await asyncio.sleep(max(0.0, how["closes_after_s"] - how["error_after_s"]))
            if engine is self.engine:
                await self._close_port()
        else:
            await self._exit_after(max(0.0, how["exits_after_s"] - how["error_after_s"]))

    def _follow(self, how: Parameters) -> None:
        """Let the server follow its dead engine, as vLLM's watchdog does, if so configured."""
        if how.get("exits_after_s", -1) >= 0:
            self.start(self._exit_after(how["exits_after_s"]))

    async def _exit_after(self, seconds: float) -> None:
        engine = self.engine
        await asyncio.sleep(seconds)
        if engine is self.engine:
            self.exit(1)

    def _take_hog(self, n_bytes: int) -> None:
        self._hog = self._gpu.open(f"{self._settings.model}-foreign")
        self._hog.resize(min(n_bytes, free_bytes(self._gpu)))

    def _free_hog(self) -> None:
        if self._hog is not None:
            self._hog.close()
            self._hog = None


SIMULATOR = web.AppKey("simulator", Simulator)
