"""The only door to the engines: vLLM's control endpoints, each call with a limit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import aiohttp
import orjson

from synapse_arbiter.engine.canary import CanaryError, Proof, proof, question
from synapse_common.engines import GpuKind, too_old

UNABORTABLE: tuple[GpuKind, ...] = ("embedding", "rerank")
"""Kinds whose requests vLLM cannot end early."""
CONNECT_SHARE = 0.5
"""Of a call's limit, for its connection: only who takes one and is silent then hangs."""
RUNNING, WAITING = b"vllm:num_requests_running", b"vllm:num_requests_waiting"
# vLLM has had both names.
OPERATIONS = tuple(b"vllm:" + rl + b"sleep_mode_operations_in_flight" for rl in (b"", b"rl_"))
STARTED = b"process_start_time_seconds"
METRIC = re.compile(
    rb"^("
    + b"|".join((RUNNING, WAITING, *OPERATIONS, STARTED))
    + rb")(?:\{[^}]*\})? ([0-9.eE+-]+)$",
    re.MULTILINE,
)
ABORTED = re.compile(
    rb'^vllm:request_success_total\{[^}]*finished_reason="abort"[^}]*\} ([0-9.eE+]+)', re.MULTILINE
)


class EngineAwayError(Exception):
    """Nobody listens at the engine's address, or the connection broke."""


class EngineFailedError(Exception):
    """The engine answered a control call with an error, or not within its limit."""


class EngineHungError(EngineFailedError):
    """The engine took a control call and did not answer it within its limit."""


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine says of itself.

    Requests inside it, sleeps and wakes under way, and when its process started. None: its
    version does not tell.
    """

    requests: int | None
    operations: int | None
    started_s: float | None


class Engine(Protocol):
    """What a transition may ask of one engine."""

    async def sleeping(self) -> bool:
        """Say whether it sleeps (or is paused); raise EngineAwayError when nobody answers."""

    async def load(self) -> Load:
        """Read what goes on inside it; raise either error when it cannot tell."""

    async def version(self) -> str:
        """Return its version, as it calls it."""

    async def sleep(self, limit_s: float) -> None:
        """Ask for sleep level 1 and wait for the answer."""

    async def wake(self, limit_s: float) -> None:
        """Ask it to wake up and wait for the answer."""

    async def answer(self, tokens: int, limit_s: float) -> Proof:
        """Let it answer the canary's question; raise when that is no answer."""


class Vllm:
    """One vLLM server with VLLM_SERVER_DEV_MODE=1, over HTTP."""

    def __init__(
        self, name: str, url: str, kind: GpuKind, http: aiohttp.ClientSession, probe_s: float
    ) -> None:
        """Talk to the engine at this address."""
        self.name = name
        self.url = url
        self._kind = kind
        self._http = http
        self._probe_s = probe_s
        self.metrics = b""
        """What it said of itself when it was last looked at; empty once it does not answer."""

    async def sleeping(self) -> bool:
        """Say whether it sleeps (or is paused)."""
        return bool(_object(await self._look("/is_sleeping")).get("is_sleeping"))

    async def load(self) -> Load:
        """Read what goes on inside it from its metrics."""
        self.metrics = await self._look("/metrics")
        load = parse_load(self.metrics)
        # Before its first sleep an engine shows no count of them, whatever its version.
        if load.operations is None and not too_old(await self.version()):
            return replace(load, operations=0)
        return load

    async def aborted(self) -> float | None:
        """Return how many requests it aborted itself, on all its ranks; None when it does not tell.

        It does when it sleeps, is paused or ends. vLLM leaves out requests whose clients left.
        """
        try:
            metrics = await self._call("GET", "/metrics", self._probe_s)
        except (EngineAwayError, EngineFailedError):
            return None
        found = ABORTED.findall(metrics)
        return sum(map(float, found)) if found else None

    async def version(self) -> str:
        """Return its version, as it calls it."""
        return str(_object(await self._look("/version")).get("version"))

    async def sleep(self, limit_s: float) -> None:
        """Ask for sleep level 1; vLLM reads level and mode from the query string alone.

        A request that it cannot abort, such as an embedding, would kill the server if it slept
        meanwhile, so there it waits for the end of those.
        """
        mode = "&mode=wait" if self._kind in UNABORTABLE else ""
        await self._call("POST", f"/sleep?level=1{mode}", limit_s)

    async def wake(self, limit_s: float) -> None:
        """Ask it to wake up."""
        await self._call("POST", "/wake_up", limit_s)

    async def answer(self, tokens: int, limit_s: float) -> Proof:
        """Let it answer the canary's question."""
        path, asked = question(self.name, self._kind, tokens)
        body = await self._call("POST", path, limit_s, asked)
        try:
            return proof(self._kind, body)
        except CanaryError as error:
            raise EngineFailedError(f"{self.name}: {error}") from error

    async def _look(self, path: str) -> bytes:
        try:
            return await self._call("GET", path, self._probe_s)
        except (EngineAwayError, EngineFailedError):
            self.metrics = b""
            raise

    async def _call(
        self, method: str, path: str, limit_s: float, asked: Mapping[str, Any] | None = None
    ) -> bytes:
        data = None if asked is None else orjson.dumps(asked)
        headers = {"content-type": "application/json"} if data else None
        timeout = aiohttp.ClientTimeout(total=limit_s, sock_connect=limit_s * CONNECT_SHARE)
        try:
            async with self._http.request(
                method, self.url + path, data=data, headers=headers, timeout=timeout
            ) as response:
                body = await response.read()
        except aiohttp.ConnectionTimeoutError as error:
            raise EngineFailedError(f"{self.name}: nobody took the connection") from error
        except TimeoutError as error:
            raise EngineHungError(f"{self.name}: no answer to {path} in {limit_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineAwayError(
                f"{self.name}: {path}: {type(error).__name__}: {error}"
            ) from error
        if response.status != 200:
            raise EngineFailedError(
                f"{self.name}: {path} answered {response.status}: {body[:200]!r}"
            )
        return body


def parse_load(metrics: bytes) -> Load:
    """Read an engine's load out of its metrics; a metric that its version lacks is unknown."""
    sums: dict[bytes, float] = {}
    for name, value in METRIC.findall(metrics):
        sums[name] = sums.get(name, 0.0) + float(value)
    return Load(
        requests=_sum(sums, RUNNING, WAITING),
        operations=_sum(sums, *OPERATIONS),
        started_s=sums.get(STARTED),
    )


def _sum(sums: Mapping[bytes, float], *names: bytes) -> int | None:
    """Add up the metrics of these names; None when there is none of them."""
    found = [sums[name] for name in names if name in sums]
    return int(sum(found)) if found else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise EngineFailedError(f"not JSON: {body[:200]!r}") from error
    if not isinstance(value, dict):
        raise EngineFailedError(f"not a JSON object: {body[:200]!r}")
    return value


def open_http(connect_s: float) -> aiohttp.ClientSession:
    """Open the connections to the engines.

    Idle ones are closed before vLLM's own five seconds are over, so that none is used
    at the moment at which the engine closes it.
    """
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4, ttl_dns_cache=10)
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_s),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )


async def gather_sleeping(engines: Mapping[str, Engine]) -> dict[str, bool | None]:
    """Ask every engine at once whether it sleeps; None means that nobody answers."""

    async def ask(engine: Engine) -> bool | None:
        try:
            return await engine.sleeping()
        except (EngineAwayError, EngineFailedError):
            return None

    answers = await asyncio.gather(*(ask(engine) for engine in engines.values()))
    return dict(zip(engines, answers, strict=True))
