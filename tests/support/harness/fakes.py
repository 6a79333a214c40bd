"""Engines without a server, for the scheduler and the transitions in virtual time."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from synapse_arbiter import config
from synapse_arbiter.config import Settings as ArbiterSettings
from synapse_arbiter.engine.canary import Proof
from synapse_arbiter.engine.vllm_client import (
    EngineAwayError,
    EngineFailedError,
    EngineHungError,
    Load,
)

RESIDUAL_GIB = 1.0
PROBE_S = 5.0
GARBAGE = (9, 9, 9)


class FakeVram:
    """A gauge that adds up what the engines hold; `away` makes it unreadable."""

    def __init__(self) -> None:
        """Start with an empty GPU."""
        self.held_gib: dict[str, float] = {}
        self.away = False
        self.moving: str | None = None  # whose memory is being moved
        self.overlaps: list[str] = []  # what must never happen

    async def used_gib(self) -> float | None:
        """Return the sum, or None."""
        return None if self.away else sum(self.held_gib.values())


class FakeEngine:
    """One engine: sleeps, wakes and answers in virtual time; failures are scripted by name.

    `script` maps a call to a list of what its next calls do: "fail", "away", "nothing" (say 200
    and do nothing) or a number of seconds more; when the list is used up all is well.
    """

    def __init__(
        self,
        name: str,
        vram: FakeVram,
        *,
        gib: float = 24.0,
        sleep_s: float = 0.5,
        wake_s: float = 1.5,
        log: list[tuple[str, str]] | None = None,
    ) -> None:
        """Make an engine that sleeps."""
        self.name = name
        self.asleep = True
        self.up = True
        self.hangs = False
        self.requests: int | None = 0
        self.operations: int | None = 0
        self.started_s: float | None = 1.0
        self.runs = "0.33.0"
        self.says = (1, 2, 3)  # tokens of its answer to the canary
        self.leak_gib = 0.0
        self.script: dict[str, list[Any]] = {}
        self.log = [] if log is None else log
        self._gib, self._sleep_s, self._wake_s = gib, sleep_s, wake_s
        self._vram = vram
        self._rest_gib = RESIDUAL_GIB
        vram.held_gib[name] = RESIDUAL_GIB

    async def sleeping(self) -> bool:
        """Say whether it sleeps."""
        await self._scripted("sleeping")
        return self.asleep

    async def load(self) -> Load:
        """Say what runs."""
        await self._scripted("load")
        return Load(self.requests, self.operations, self.started_s)

    async def version(self) -> str:
        """Say which vLLM it runs."""
        await self._scripted("version")
        return self.runs

    async def sleep(self, limit_s: float) -> None:
        """Fall asleep."""
        self.log.append(("sleep", self.name))
        if await self._scripted("sleep", limit_s):
            return
        if self.asleep:
            return
        await self._take("sleep", self._sleep_s, limit_s)
        self._rest_gib += self.leak_gib
        self.asleep = True
        self._vram.held_gib[self.name] = self._rest_gib

    async def wake(self, limit_s: float) -> None:
        """Wake up."""
        self.log.append(("wake", self.name))
        if await self._scripted("wake", limit_s):
            return
        await self._take("wake", self._wake_s, limit_s)
        self.awaken()

    async def answer(self, tokens: int, limit_s: float) -> Proof:
        """Answer the canary."""
        self.log.append(("answer", self.name))
        odd = await self._scripted("answer", limit_s)
        if self.asleep:
            raise EngineFailedError(f"{self.name} hangs")
        said = GARBAGE if odd else self.says
        return Proof(tokens=said[:tokens])

    def awaken(self) -> None:
        """Be awake at once, as somebody else might do it."""
        self.asleep = False
        self._vram.held_gib[self.name] = self._gib

    def die(self) -> None:
        """Be gone."""
        self.up = False
        self._vram.held_gib[self.name] = 0.0

    def restart(self) -> None:
        """Be back as a new process, awake, as an engine is that has just booted."""
        self.up, self.hangs = True, False
        self.started_s = (self.started_s or 0.0) + 1.0
        self._rest_gib = RESIDUAL_GIB
        self.awaken()

    async def _take(self, call: str, seconds: float, limit_s: float) -> None:
        if self._vram.moving is not None:
            self._vram.overlaps.append(f"{call} {self.name} during {self._vram.moving}")
        self._vram.moving = f"{call} {self.name}"
        self.operations = 1
        try:
            await self._pass(call, seconds, limit_s)
        finally:
            self.operations = 0
            self._vram.moving = None

    async def _pass(self, call: str, seconds: float, limit_s: float) -> None:
        if seconds > limit_s:
            await asyncio.sleep(limit_s)
            raise EngineFailedError(f"{self.name}: no answer to {call} in {limit_s:g} s")
        await asyncio.sleep(seconds)

    async def _scripted(self, call: str, limit_s: float = PROBE_S) -> bool:
        """Do the next scripted thing; True when the call is to do nothing else."""
        if not self.up:
            raise EngineAwayError(f"{self.name}: {call}: refused")
        if self.hangs and call != "load":  # which the server answers without its core
            await asyncio.sleep(limit_s)
            raise EngineHungError(f"{self.name}: no answer to {call} in {limit_s:g} s")
        todo = self.script.get(call)
        what = todo.pop(0) if todo else None
        if what == "away":
            raise EngineAwayError(f"{self.name}: {call}: refused")
        if what == "fail":
            raise EngineFailedError(f"{self.name}: {call} answered 500")
        if isinstance(what, Exception):
            raise what
        if isinstance(what, int | float):
            await asyncio.sleep(what)
            return False
        return what == "nothing"


class FakeRecycler:
    """Ends an engine's process; `refusal` makes it refuse."""

    def __init__(self, engines: dict[str, FakeEngine]) -> None:
        """Replace these engines."""
        self._engines = engines
        self.refusal: Exception | None = None
        self.then: Callable[[FakeEngine], None] = FakeEngine.die
        self.recycled: list[str] = []

    async def recycle(self, model: str) -> None:
        """End the process."""
        self.recycled.append(model)
        if self.refusal is not None:
            raise self.refusal
        self.then(self._engines[model])


def fake_settings(names: Iterable[str], **more: Any) -> ArbiterSettings:
    """Make a configuration for fakes; `more` are top-level sections."""
    model = {"vram_gib": 24, "sleep_s": 0.5, "wake_s": 1.5, "answer_s": 4, **more.pop("model", {})}
    models = [{"name": name, "url": f"http://{name}:8000", **model} for name in names]
    gpu = {"vram_gib": 32, "vram_source": "none", **more.pop("gpu", {})}
    return config.parse({"models": models, "gpu": gpu, **more})
