"""An application before the gateway: it asks, and reads the answer and its log line."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from gateway_process import Gateway, events

CHAT = "/v1/chat/completions"
LIMIT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What a client got, and what the gateway wrote down about it."""

    status: int
    headers: Mapping[str, str]
    text: str
    line: dict[str, Any]

    @property
    def served(self) -> str | None:
        """The model that the gateway says answered."""
        return self.headers.get("x-synapse-model")

    @property
    def code(self) -> str | None:
        """The machine-readable code of an error, in whatever way it was told."""
        return next((str(each["error"]["code"]) for each in self.events if "error" in each), None)

    @property
    def complete(self) -> bool:
        """Whether it is an answer that came to its end."""
        if self.status != 200 or self.code is not None:
            return False
        reasons = [
            choice.get("finish_reason") for each in self.events for choice in each["choices"]
        ]
        done = not self.text.startswith(("data:", ":")) or "data: [DONE]" in self.text
        return done and any(reasons)

    @property
    def events(self) -> list[Any]:
        """The events of a stream, or the one body of a whole answer."""
        if self.text.startswith("{"):
            return [orjson.loads(self.text)]
        return [each for each in events(self.text) if each != "[DONE]"]


class Client:
    """Asks the gateway as any application can."""

    def __init__(self, gateway: Gateway, http: aiohttp.ClientSession) -> None:
        """Ask this gateway."""
        self._gateway = gateway
        self._http = http

    async def ask(self, model: str, app: str = "cortex", words: str = "why", **more: Any) -> Answer:
        """Ask a chat model to the end of its answer."""
        headers = {"authorization": f"Bearer sk-synapse-{app}", **more.pop("headers", {})}
        body = {"model": model, "messages": [{"role": "user", "content": words}], **more}
        return await self.post(CHAT, body, headers)

    async def post(self, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """Send any request and read its answer."""
        async with asyncio.timeout(LIMIT_S):
            url = f"{self._gateway.url}{path}"
            async with self._http.post(url, json=body, headers=headers) as answer:
                text = await answer.text()
        line = await self.line(answer.headers["x-request-id"])
        return Answer(answer.status, answer.headers, text, line)

    async def line(self, request_id: str) -> dict[str, Any]:
        """Return the log line of a request."""
        return await asyncio.to_thread(self._gateway.line_of, request_id)
