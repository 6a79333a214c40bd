"""The verified steps of a transition: each ends in a fact about an engine, never in a hope.

No step raises for what an engine does; what went wrong is in the `TransitionResult`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from synapse_arbiter.config import Settings
from synapse_arbiter.engine.canary import Proof
from synapse_arbiter.engine.result import EngineStats, TransitionResult
from synapse_arbiter.engine.vllm_client import Engine, EngineAwayError, EngineFailedError
from synapse_arbiter.engine.vram import Vram
from synapse_common.engines import OLDEST_VLLM, dotted, too_old

CANARY_TOKENS = 16
TOO_OLD = "too_old"
FREED_SHARE = 0.5  # of what waking took; the rest is context, graphs and noise
SLACK_GIB = 0.5  # what two readings may differ by without anything having happened
ATTEMPTS = 2


class Steps:
    """The steps on the engines of one GPU, and the stats they keep."""

    def __init__(self, settings: Settings, engines: Mapping[str, Engine], vram: Vram) -> None:
        """Start an empty stats for every engine."""
        self._prior_gib = {model.name: model.vram_gib for model in settings.models}
        self._limits = settings.limits
        self._canary_every = settings.gpu.canary_every
        self._engines = engines
        self._vram = vram
        self.stats = {name: EngineStats() for name in engines}

    async def used_gib(self) -> float | None:
        """Read the GPU's memory once."""
        return await self._vram.used_gib()

    async def measure_rest(self, name: str, empty_gib: float | None) -> None:
        """Note what a new engine holds while asleep, beyond what the GPU held without it."""
        now_gib = await self._vram.used_gib()
        if empty_gib is not None and now_gib is not None:
            self.stats[name].residual_gib = max(0.0, now_gib - empty_gib)

    async def sleep_verified(self, name: str, outcome: TransitionResult) -> bool:
        """Put one engine to sleep and see its memory come free; False when it stays awake.

        An engine that died holds nothing any more: that counts as asleep.
        """
        _, before_gib = await asyncio.gather(self._quiet(name, outcome), self._vram.used_gib())
        for _attempt in range(ATTEMPTS):
            try:
                if await self._sleep(name, before_gib, outcome):
                    outcome.asleep.add(name)
                    return True
            except EngineAwayError as error:
                outcome.notes.append(str(error))
                outcome.away.add(name)
                return True
            except EngineFailedError as error:
                outcome.notes.append(str(error))
        outcome.broken.setdefault(name, "sleep_failed")
        return False

    async def wake_verified(self, name: str, outcome: TransitionResult) -> bool:
        """Wake one engine, see it awake, and let it prove that it answers.

        After a wake that failed, for want of memory perhaps, everybody is put to sleep again;
        then it is tried once more: vLLM goes on where it stopped, with what is mapped already.
        """
        stats = self.stats[name]
        stats.asleep_gib = outcome.used_gib or await self._vram.used_gib()
        for _attempt in range(ATTEMPTS):
            try:
                if await self._wake(name, outcome):
                    stats.wakes += 1
                    return await self.canary(name, outcome)
                outcome.notes.append(f"{name} said that it woke, but it still sleeps")
            except EngineAwayError as error:
                outcome.notes.append(str(error))
                outcome.away.add(name)
                return False
            except EngineFailedError as error:
                outcome.notes.append(str(error))
            await self._make_room(outcome)
        outcome.broken[name] = "wake_failed"
        now_gib = await self._vram.used_gib()
        if now_gib is not None and now_gib - (stats.asleep_gib or 0.0) < SLACK_GIB:
            outcome.asleep.add(name)
        return False

    async def canary(self, name: str, outcome: TransitionResult) -> bool:
        """Let an awake engine answer as it did when it was new: a token, or every n-th time more.

        Greedy answers may vary a little, so only two mismatches in a row count as garbage.
        """
        stats = self.stats[name]
        full = stats.baseline is None or stats.wakes % self._canary_every == 0
        try:
            if stats.baseline is None and not await self._is_supported(name, outcome):
                return False
            with outcome.timed("canary", name):
                answer = await self._answer(name, full)
                if stats.baseline is not None and not answer.agrees_with(stats.baseline):
                    outcome.notes.append(f"{name} answered the canary with {answer}")
                    answer = await self._answer(name, full)
        except EngineAwayError as error:
            outcome.notes.append(str(error))
            outcome.away.add(name)
            return False
        except EngineFailedError as error:
            outcome.notes.append(str(error))
            outcome.broken[name] = "canary_failed"
            return False
        if stats.baseline is None:
            stats.baseline = answer
        elif not answer.agrees_with(stats.baseline):
            outcome.broken[name] = "canary_garbage"
            return False
        return True

    async def _is_supported(self, name: str, outcome: TransitionResult) -> bool:
        version = await self._engines[name].version()
        if not too_old(version):
            return True
        least = dotted(OLDEST_VLLM)
        outcome.notes.append(f"{name} runs vLLM {version}; the arbiter needs {least} or newer")
        outcome.broken[name] = TOO_OLD
        return False

    async def _quiet(self, name: str, outcome: TransitionResult) -> None:
        """See that the engine runs nothing; what still runs after the limit, its sleep aborts."""

        async def is_quiet() -> bool:
            requests = (await self._engines[name].load()).requests
            if requests is None:
                raise EngineFailedError(f"{name} does not tell what it runs")
            return requests == 0

        try:
            with outcome.timed("quiet", name):
                quiet = await until(is_quiet, self._limits.quiet_s)
            if not quiet:
                outcome.notes.append(f"{name} still runs requests that are not ours")
        except (EngineAwayError, EngineFailedError) as error:
            outcome.notes.append(f"no metrics, our own count must do: {error}")

    async def _sleep(self, name: str, before_gib: float | None, outcome: TransitionResult) -> bool:
        stats = self.stats[name]
        limit_s = self._limits.sleep_s if stats.sleeps else self._limits.first_sleep_s
        with outcome.timed("sleep", name):
            await self._engines[name].sleep(limit_s)
        with outcome.timed("sleep_check", name):
            is_down = await until(
                lambda: self._is_down(name, before_gib, outcome), self._limits.verify_s
            )
        if not is_down:
            outcome.notes.append(f"{name} said that it sleeps, but its memory did not come free")
            return False
        stats.sleeps += 1
        if outcome.used_gib is not None and stats.asleep_gib is not None:
            stats.leaks.add(stats.asleep_gib, outcome.used_gib)
        return True

    async def _is_down(
        self, name: str, before_gib: float | None, outcome: TransitionResult
    ) -> bool:
        sleeping, outcome.used_gib = await asyncio.gather(
            self._engines[name].sleeping(), self._vram.used_gib()
        )
        if not sleeping:
            return False
        if before_gib is None or outcome.used_gib is None:
            return True
        expected_gib = self.stats[name].awake_gib or self._prior_gib[name]
        return before_gib - outcome.used_gib >= FREED_SHARE * expected_gib

    async def _wake(self, name: str, outcome: TransitionResult) -> bool:
        stats = self.stats[name]
        with outcome.timed("wake", name):
            await self._engines[name].wake(self._limits.wake_s)
        with outcome.timed("wake_check", name):
            is_up, now_gib = await asyncio.gather(
                until(lambda: self._is_up(name), self._limits.verify_s), self._vram.used_gib()
            )
        if is_up and now_gib is not None and stats.asleep_gib is not None:
            stats.awake_gib = max(0.0, now_gib - stats.asleep_gib) or None
        return is_up

    async def _is_up(self, name: str) -> bool:
        return not await self._engines[name].sleeping()

    async def _make_room(self, outcome: TransitionResult) -> None:
        """Ask every engine to sleep, whatever it says that it does."""
        for engine in self._engines.values():
            try:
                await engine.sleep(self._limits.sleep_s)
            except (EngineAwayError, EngineFailedError) as error:
                outcome.notes.append(f"making room: {error}")

    async def _answer(self, name: str, full: bool) -> Proof:
        tokens = CANARY_TOKENS if full else 1
        return await self._engines[name].answer(tokens, self._limits.canary_s)


FIRST_PAUSE_S = 0.001
LONGEST_PAUSE_S = 0.2


async def until(check: Callable[[], Awaitable[bool]], limit_s: float) -> bool:
    """Ask until the check says yes, pausing twice as long each time; False after the limit."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    pause_s = FIRST_PAUSE_S
    while not await check():
        left_s = end_s - loop.time()
        if left_s <= 0:
            return False
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return True
