"""Simulated engines on one GPU, the arbiter before them, and a client, on free local ports."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from synapse_arbiter import config
from synapse_arbiter.config import Ports
from synapse_arbiter.config import Settings as ArbiterSettings
from synapse_arbiter.server import Arbiter
from vllm_simulator import GIB, MemoryGpu, Settings, Simulator, serve

LIMIT_S = 20.0
TOKEN = "sesame"
FAST = {"ttft_s": 0.0, "tokens_per_s": 0.0, "boot_s": 0.0, "first_sleep_s": 0.0}


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The code of an error of the arbiter's own, also at the end of a stream."""
        last = self.body.strip().rpartition(b"\n\n")[2].removeprefix(b"event: error\n")
        last = last.removeprefix(b"data: ")
        if not last.startswith(b"{"):
            return None
        code = json.loads(last).get("error", {}).get("code")
        return None if code is None else str(code)


@dataclass
class Harness:
    """What a test holds on to."""

    arbiter: Arbiter
    client: aiohttp.ClientSession
    simulators: dict[str, Simulator]

    @property
    def url(self) -> str:
        """Where requests for models go."""
        return self.at("inference")

    def at(self, audience: str) -> str:
        """Where one of the arbiter's audiences asks."""
        return f"http://127.0.0.1:{self.arbiter.ports[audience]}"

    async def ask(
        self, model: str, text: str = "hello", headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """Ask one chat question and read the whole answer."""
        message = {"role": "user", "content": text}
        question = {"model": model, "messages": [message], "max_tokens": 4, **more}
        url = f"{self.url}/v1/chat/completions"
        async with self.client.post(url, json=question, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    async def order(self, path: str, token: str = TOKEN) -> Answer:
        """Give an operator's order."""
        headers = {"authorization": f"Bearer {token}"}
        async with self.client.post(
            f"{self.at('operator')}/admin/{path}", headers=headers
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so, or fail saying what was waited for."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not condition():  # noqa: ASYNC110  (of any object, without an event)
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(
                f"waited {LIMIT_S:g} s for {what}: {self.arbiter.scheduler}"
            ) from None

    def condition(self, model: str) -> str:
        """Say what the arbiter believes of an engine."""
        return self.arbiter.scheduler.state.engine_states[model].condition.value

    @property
    def waiting(self) -> int:
        """Return how many requests wait."""
        return self.arbiter.scheduler.admission.waiting

    @property
    def resident(self) -> str | None:
        """Name the resident."""
        view = self.arbiter.scheduler.state.gpu.resident
        return None if view is None else view.name


def settings_of(
    urls: Mapping[str, str],
    vram_gib: float = 24.0,
    model: Mapping[str, Any] | None = None,
    **more: Any,
) -> ArbiterSettings:
    """Make a configuration for engines at these addresses; `more` are top-level sections."""
    first = next(iter(urls.values()))
    models = [
        {
            "name": name,
            "url": url,
            "vram_gib": vram_gib,
            "sleep_s": 0.01,
            "wake_s": 0.01,
            "answer_s": 0.05,
            **(model or {}),
        }
        for name, url in urls.items()
    ]
    limits = {"watch_s": 0.1, "verify_s": 0.5, "quiet_s": 0.5, **more.pop("limits", {})}
    gpu = {"vram_gib": 32, "vram_source": f"{first}/vram", **more.pop("gpu", {})}
    settings = config.parse({"models": models, "gpu": gpu, "limits": limits, **more})
    free = dict.fromkeys(Ports.model_fields, 0)  # whichever are free
    return settings.model_copy(update={"ports": Ports().model_copy(update=free)})


@asynccontextmanager
async def running_arbiter(
    *names: str,
    engine: Mapping[str, Any] | None = None,
    awake: str | None = None,
    before_boot: Callable[[str], Awaitable[None]] | None = None,
    **settings: Any,
) -> AsyncIterator[Harness]:
    """Start engines, all asleep but one, and an arbiter that has looked at them."""
    gpu = MemoryGpu(32 * GIB)
    async with AsyncExitStack() as stack:
        simulators, urls = {}, {}
        for name in names:
            values = {"sleep_s": 0.01, "wake_s": 0.01, "vram_gib": 24.0, **FAST, **(engine or {})}
            simulator = Simulator(
                Settings(model=name, dev_mode=True, **values), gpu, before_boot=before_boot
            )
            urls[name] = await stack.enter_async_context(serve(simulator))
            await simulator.engine.sleep(1, "abort")
            simulators[name] = simulator
        if awake is not None:
            await simulators[awake].engine.wake_up(None)
        client = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        arbiter = await stack.enter_async_context(Arbiter(settings_of(urls, **settings)))
        made = Harness(arbiter, client, simulators)
        await made.until(lambda: arbiter.scheduler.state.ready, "the engines to be known")
        yield made
