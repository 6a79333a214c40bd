"""The applications: each asks for its own models, again and again, and judges what comes back."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from judging import judge

TOKENS = 24
# The longest time that any request may take: the arbiter's longest wait, the drain of the model
# before it, and an answer of the slowest model.
BUDGET_S = 180.0
STREAMED = 0.5
CLIENTS_PER_APP = 4
# A person or an agent reads an error before it asks again.
ASK_AGAIN_S = 0.3


@dataclass(frozen=True)
class App:
    """One application: its key, and the names it asks for."""

    name: str
    key: str
    asks_for: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """How one request ended; `outcome` as judged, or `broken` when its connection ended."""

    app: str
    outcome: str
    served: str
    seconds: float
    detail: str


class Asking:
    """Requests until told to stop, a fixed number of clients an application."""

    def __init__(self, base_url: str, apps: tuple[App, ...], seed: int = 5) -> None:
        """Ask there as these applications."""
        self._base_url = base_url
        self._apps = apps
        self._chance = random.Random(seed)
        self.asked = 0
        self.endings: list[Ending] = []
        self._ended = asyncio.Condition()

    async def run(self, wanted: Callable[[], bool]) -> None:
        """Ask for as long as more is wanted; return when the last request has ended."""
        async with httpx.AsyncClient(base_url=self._base_url, timeout=BUDGET_S) as client:
            clients = [app for app in self._apps for _ in range(CLIENTS_PER_APP)]
            await asyncio.gather(*(self._client(client, app, wanted) for app in clients))

    async def reach(self, number: int) -> None:
        """Return when that many requests have ended."""
        async with self._ended:
            await self._ended.wait_for(lambda: len(self.endings) >= number)

    async def _client(
        self, client: httpx.AsyncClient, app: App, wanted: Callable[[], bool]
    ) -> None:
        while wanted():
            self.asked += 1
            model = self._chance.choice(app.asks_for)
            ending = await ask(client, app, model, stream=self._chance.random() < STREAMED)
            async with self._ended:
                self.endings.append(ending)
                self._ended.notify_all()
            if ending.outcome != "answered":
                await asyncio.sleep(ASK_AGAIN_S)


async def ask(client: httpx.AsyncClient, app: App, model: str, *, stream: bool) -> Ending:
    """Ask once, within the budget, and judge the end."""
    loop = asyncio.get_running_loop()
    question = {
        "model": model,
        "messages": [{"role": "user", "content": f"Tell {app.name} about the server."}],
        "max_tokens": TOKENS,
        "stream": stream,
    }
    headers = {"authorization": f"Bearer {app.key}"}
    began_s = loop.time()

    def ended(outcome: str, served: str, detail: str) -> Ending:
        return Ending(app.name, outcome, served, loop.time() - began_s, detail)

    try:
        async with asyncio.timeout(BUDGET_S):
            answer = await client.post("/v1/chat/completions", json=question, headers=headers)
    except TimeoutError:
        return ended("hung", "", f"{model}: nothing within {BUDGET_S:.0f} s")
    except httpx.TransportError as error:
        return ended("broken", "", f"{model}: {type(error).__name__}")
    outcome = judge(answer.status_code, answer.content, stream)
    served = answer.headers.get("x-synapse-model", "")
    tail = answer.content[-200:].decode(errors="replace")
    return ended(outcome, served, f"{model}: {answer.status_code} {tail}")
