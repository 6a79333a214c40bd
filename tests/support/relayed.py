"""The gateway's relay between an engine and a client that are bytes in memory, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from synapse_common.bodies.aside import Bytes
from synapse_common.bodies.budget import Budget, room
from synapse_common.bodies.incoming import at_once
from synapse_common.bodies.sending import Pieces
from synapse_common.refusals import Refusal
from synapse_gateway import errors, routes
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.config import App, Config, Model, build
from synapse_gateway.metrics import Metrics
from synapse_gateway.places import Places, Room
from synapse_gateway.relay import chain
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.health import Health
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.text import TextJob
from synapse_gateway.request import Request, understand
from synapse_gateway.response import ResponseWriter
from synapse_gateway.usage.spending import Spending
from synapse_gateway.usage.usage import Usage

APP = App(name="app", models=("*",))
PLACE = "http://engine:8000/v1"


def model(name: str, engine: str, *fallbacks: str, **more: Any) -> dict[str, Any]:
    """Return a model of the gateway's configuration; its engine calls it `served-NAME`."""
    given = {"url": PLACE, "served_name": f"served-{name}", "fallbacks": list(fallbacks), **more}
    return {"name": name, "kind": "chat", "engine": engine, **given}


def config(*models: Mapping[str, Any], **more: Any) -> Config:
    """Return a configuration of these models, which one application may ask for."""
    apps = [{"name": APP.name, "models": ["*"]}]
    return build({"models": list(models), "apps": apps, **more})


def request(path: str, body: Mapping[str, Any], known: Config) -> Request:
    """Return a request as the edge takes it; raise Refusal as the edge does."""
    return understand(at_once(orjson.dumps(body)), routes.ROUTES[path], APP, known)


def places(at_model: int = 64) -> Places:
    """Return the places of an application alone in the gateway."""
    return Places(Room(512, 256), at_model)


def spending(known: Config, usage: Usage | None = None) -> Spending:
    """Return what keeps the money of a configuration, in this file of usage or in none."""
    kept = Metrics(CollectorRegistry()).usage_kept
    return Spending(known, usage or Usage(None, kept))


def health(known: Config) -> Health:
    """Return the state of the engines of a configuration, all of them well."""
    return Health(known, Metrics(CollectorRegistry()).engine_up)


@dataclass
class Sent:
    """One request as it left for an engine."""

    model: Model
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class Content:
    """What an engine's answer is read from."""

    def __init__(self, parts: Iterable[bytes | Exception]) -> None:
        """Hand out these parts, one at a time, and raise those that are exceptions."""
        self._parts = iter(parts)
        self._rest = b""

    def at_eof(self) -> bool:
        """Say that more may come, since nothing tells."""
        return False

    async def readany(self) -> bytes:
        """Return the next part, none at the end."""
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            if part:
                return part
        return b""

    async def read(self, most: int) -> bytes:
        """Return as much of the next part."""
        part = self._rest or await self.readany()
        self._rest = part[most:]
        return part[:most]


@dataclass
class Says:
    """One engine's answer."""

    parts: Sequence[bytes | Exception]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Be ready to be read once."""
        self.content = Content(self.parts)

    async def read(self) -> bytes:
        """Return the whole body."""
        found = b""
        while part := await self.content.readany():
            found += part
        return found

    async def __aenter__(self) -> Says:
        """Be used as aiohttp's answer is."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""


class FakeEngines:
    """Gives each model's answer in turn, and keeps what was asked."""

    def __init__(self, answers: Mapping[str, Says | Exception], known: Config) -> None:
        """Answer so, by the models' names."""
        self._answers = answers
        self.health = health(known)
        self.sent: list[Sent] = []
        self.translating = Budget(room(1024), errors.GatewayFull)

    async def ask_quickly(
        self, model: Model, path: str, headers: Mapping[str, str], body: Sequence[Bytes], **_: float
    ) -> aiohttp.ClientResponse:
        """Answer at once."""
        self.sent.append(Sent(model, path, headers, orjson.loads(b"".join(body))))
        answer = self._answers[model.name]
        if isinstance(answer, Exception):
            raise answer
        return cast(aiohttp.ClientResponse, answer)


class Honest:
    """An Ollama that refuses what is too long and follows all that it is asked."""

    async def cuts(self, model: Model, silence_s: float) -> bool:
        """Refuse what is too long."""
        return False

    async def follows_penalties(self, model: Model) -> bool:
        """Follow them."""
        return True


class Client(ResponseWriter):
    """Keeps what leaves."""

    def __init__(self, path: str) -> None:
        """Ask at this path."""
        super().__init__(
            RequestRecord("POST", path, app=APP),
            cast(web.BaseRequest, SimpleNamespace(transport=None)),
            routes.dialect_of(path),
        )
        self.heard = b""
        self.told: dict[str, str] = {}

    async def write(self, body: bytes, more: bool) -> None:
        """Send the next piece, or the last one."""
        self.heard += body
        self.finished = not more

    async def _send_whole(self, status: int, body: bytes | Pieces, headers: dict[str, str]) -> None:
        await self._start(status, headers)
        await self.write(body if isinstance(body, bytes) else body.decode().encode(), more=False)

    async def _start(self, status: int, headers: dict[str, str]) -> None:
        self.response = web.StreamResponse(status=status)
        self.record.status, self.told = status, self._all(headers)


@dataclass(frozen=True)
class Relayed:
    """What came of one request."""

    heard: bytes
    status: int
    headers: Mapping[str, str]
    sent: list[Sent]
    record: RequestRecord
    refusal: Refusal | None

    @property
    def is_whole(self) -> bool:
        """Say whether the gateway takes the answer for a whole one."""
        return self.record.status == 200 and self.record.error is None


async def answered(asked: Request, engines: FakeEngines, client: Client, known: Config) -> None:
    """Let the chain answer a request."""
    ollama = cast(OllamaFacts, Honest())
    with Budget(room(1024), errors.GatewayFull).held_by(APP.name) as held:
        job = TextJob(asked, cast(Engines, engines), known, ollama, held)
        await chain.run(job, asked.asked, asked.model, client, known, places(), spending(known))


def relay(asked: Request, answers: Mapping[str, Says | Exception], known: Config) -> Relayed:
    """Let the chain answer a request, as the edge does."""
    engines, client = FakeEngines(answers, known), Client(asked.route.path)
    client.record.model, client.record.stream = asked.model, asked.stream
    refused: list[Refusal] = []

    async def run() -> None:
        try:
            await answered(asked, engines, client, known)
        except Refusal as refusal:
            refused.append(refusal)
            await client.refuse(refusal)

    asyncio.run(run())
    status = client.answered().status
    why = refused[0] if refused else None
    return Relayed(client.heard, status, client.told, engines.sent, client.record, why)
