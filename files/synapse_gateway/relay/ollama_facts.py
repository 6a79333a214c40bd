"""What an Ollama really does, found out at the first use of each of its models.

Two switches of its native API keep it from cutting a prompt or the beginning of a conversation.
They came with 0.12.6; an older one takes no notice of them, and a later one might. So each model is
asked once for what it must refuse: a prompt that is longer than its context. That takes the time to
count tokens and no evaluation; one that evaluates the prompt all the same is left after seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from synapse_common.answers.judges import CutShort
from synapse_common.answers.whole import read_within
from synapse_common.engines import PENALTIES_SINCE, ollama_version
from synapse_gateway.config import Model
from synapse_gateway.log_pipe import now, write_line
from synapse_gateway.ollama import checks
from synapse_gateway.relay.engines import UNREACHED, Engines
from synapse_gateway.relay.failure import EngineError

CHECK_S = 10.0
"""How long a loaded model may take to refuse what is too long."""
VERSION_S, VERSION_BYTES = 1.0, 4096
"""How long it may take to tell its version, and how long a text that may be."""
GOOD_S = 3600.0
"""How long a good answer counts: Ollama may be replaced meanwhile."""
BAD_S = 60.0
"""How long any other one does."""
HEADERS = {"content-type": "application/json"}
TOLD = {True: "refused", False: "cut", None: "not known"}


@dataclass
class Fact:
    """Something known, and until when."""

    value: Any
    until_s: float


class OllamaFacts:
    """Remembers of each model whether its engine cuts, and of each address its version."""

    def __init__(self, engines: Engines) -> None:
        """Know nothing yet."""
        self._engines = engines
        self._refuse: dict[str, Fact] = {}
        self._versions: dict[str, Fact] = {}
        self._checks: dict[str, asyncio.Task[Fact]] = {}

    async def cuts(self, model: Model, silence_s: float) -> bool:
        """Say whether the model's engine shortens what is too long; the first use waits for it.

        Raises what a request would raise where the engine cannot be reached.
        """
        known = self._refuse.get(model.name)
        if known is not None and _now_s() < known.until_s:
            return known.value is False
        check = self._checks.get(model.name)
        if check is None:
            check = self._checks[model.name] = asyncio.create_task(self._check(model, silence_s))
            check.add_done_callback(lambda done: self._checked(model.name, done))
        if known is not None and known.value:
            return False  # what was good is looked at again while it serves
        return (await asyncio.shield(check)).value is False

    async def follows_penalties(self, model: Model) -> bool:
        """Say whether all models of this engine follow penalties, as far as its version tells."""
        version = ollama_version(await self._version(model) or "")
        return version is None or version >= PENALTIES_SINCE

    def _checked(self, name: str, done: asyncio.Task[Fact]) -> None:
        del self._checks[name]
        if not done.cancelled() and done.exception() is None:
            self._refuse[name] = done.result()

    async def _check(self, model: Model, silence_s: float) -> Fact:
        """Load the model, which its first request would do, and ask for what is too long."""
        check = checks.of_kind(model.kind)
        async with await self._ask(model, check.path, check.load, silence_s) as answer:
            is_loaded = answer.status == 200
        refuses = await self._refuses(model, check) if is_loaded and model.context else None
        version = await self._version(model)
        line = {"ts": now(), "event": "engine_check", "model": model.name, "engine": model.engine}
        write_line({**line, "version": version, "too_long": TOLD[refuses]})
        return Fact(refuses, _now_s() + (GOOD_S if refuses else BAD_S))

    async def _refuses(self, model: Model, check: checks.Check) -> bool | None:
        """Say whether a prompt that is too long is refused; None: nobody knows."""
        try:
            async with (
                asyncio.timeout(CHECK_S),
                await self._ask(
                    model, check.path, check.too_long(model.context or 0), CHECK_S
                ) as answer,
            ):
                if answer.status == 200:
                    return False
                failed = (await EngineError.read(answer)).failure(model, model.name)
        except UNREACHED:
            return None
        return True if failed.reason == "context" else None

    async def _version(self, model: Model) -> str | None:
        known = self._versions.get(model.url)
        if known is None or _now_s() >= known.until_s:
            told = await self._told_version(model)
            known = Fact(told, _now_s() + (GOOD_S if told else BAD_S))
            self._versions[model.url] = known
        version: str | None = known.value
        return version

    async def _told_version(self, model: Model) -> str | None:
        try:
            async with (
                asyncio.timeout(VERSION_S),
                self._engines.ask("GET", model, "//api/version", {}, silence_s=VERSION_S) as answer,
            ):
                told = await read_within(answer, VERSION_BYTES)
                return str(orjson.loads(told)["version"]) if answer.status == 200 else None
        except (*UNREACHED, CutShort, ValueError, KeyError, TypeError):
            return None

    async def _ask(self, model: Model, path: str, body: Mapping[str, Any], silence_s: float) -> Any:
        told = orjson.dumps({**body, "model": model.served_name})
        return await self._engines.ask_quickly(
            model, f"/{path}", HEADERS, [told], silence_s=silence_s, first_byte_s=silence_s
        )


def _now_s() -> float:
    return asyncio.get_running_loop().time()
