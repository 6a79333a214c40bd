"""What Ollama has in memory: asked seldom, never waited for long, and junk is nothing."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from relayed import Says, config, model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.ollama_memory import FRESH_S, WITHIN_S, OllamaMemory

pytestmark = pytest.mark.looptime

CONFIG = config(model("chat", "ollama"), model("embed", "ollama"), model("gpu", "vllm"))


class Ollama:
    """Answers with what it has, or fails, or is silent."""

    def __init__(self, told: Any, status: int = 200, is_away: bool = False) -> None:
        self.told, self.status = told, status
        self.health = SimpleNamespace(is_away=lambda _: is_away)
        self.asked = 0

    @asynccontextmanager
    async def ask(self, method: str, model: Any, path: str, *_: Any, silence_s: float) -> Any:
        assert (method, model.engine, path) == ("GET", "ollama", "//api/ps")
        self.asked += 1
        if self.told is None:
            await asyncio.Event().wait()
        if isinstance(self.told, Exception):
            raise self.told
        yield Says([json.dumps(self.told).encode()], self.status)


def memory(ollama: Ollama) -> OllamaMemory:
    return OllamaMemory(CONFIG, cast(Engines, ollama))


def having(*names: str) -> Any:
    return {"models": [{"name": name} for name in names]}


async def test_a_model_is_known_by_what_ollama_calls_it() -> None:
    ollama = Ollama(having("served-chat:latest", "somebody-elses:1b"))
    assert await memory(ollama).read() == {"chat"}


async def test_an_answer_counts_for_a_moment() -> None:
    ollama = Ollama(having("served-chat"))
    known = memory(ollama)
    assert await known.read() == await known.read() == {"chat"}
    assert ollama.asked == 1
    ollama.told = having("served-embed")
    await asyncio.sleep(FRESH_S)
    assert await known.read() == {"embed"}


async def test_nobody_waits_for_one_that_is_silent_or_away() -> None:
    started_s = asyncio.get_running_loop().time()
    assert await memory(Ollama(None)).read() == set()
    assert asyncio.get_running_loop().time() - started_s <= WITHIN_S
    gone = Ollama(having("served-chat"), is_away=True)
    assert (await memory(gone).read(), gone.asked) == (set(), 0)


@pytest.mark.parametrize(
    "told", [[], {}, {"models": 3}, {"models": [{}]}, {"models": ["x"]}, {"models": [{"name": 1}]}]
)
async def test_junk_is_nothing(told: Any) -> None:
    assert await memory(Ollama(told)).read() == set()


async def test_an_error_is_nothing() -> None:
    assert await memory(Ollama(having("served-chat"), status=500)).read() == set()
    assert await memory(Ollama(aiohttp.ServerDisconnectedError())).read() == set()
