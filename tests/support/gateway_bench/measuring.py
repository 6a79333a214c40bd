"""One round: all contenders are asked in turn, request by request: they share the weather.

The order changes with every turn: LiteLLM works on after it has answered, which whoever is always
asked next would pay for.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time

import aiohttp

from gateway_bench.contenders import Contender

WARM_UP = 20
SEQUENTIAL = 200
CONNECTIONS = 16
CONCURRENT = 160
FAILOVERS = 20
Sample = dict[str, float]


async def measure(contenders: list[Contender]) -> dict[str, Sample]:
    """Take one round of all measurements."""
    async with aiohttp.ClientSession() as session:
        for _ in range(WARM_UP):
            for contender in contenders:
                await _one(session, contender, contender.model)
        samples = await _one_after_another(session, contenders)
        for contender in contenders:
            samples[contender.name] |= await _processor_time(session, contender)
            samples[contender.name] |= await _failover(session, contender)
    return samples


async def _one(session: aiohttp.ClientSession, contender: Contender, model: str) -> float:
    """Send one chat request; return its milliseconds."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {contender.key}"}
    began = time.perf_counter()
    url = f"{contender.url}/v1/chat/completions"
    async with session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()
    return (time.perf_counter() - began) * 1000


async def _one_after_another(
    session: aiohttp.ClientSession, contenders: list[Contender]
) -> dict[str, Sample]:
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(SEQUENTIAL):
        for contender in random.sample(contenders, len(contenders)):
            times[contender.name].append(await _one(session, contender, contender.model))
    return {
        name: {
            "p50_ms": statistics.median(taken),
            "p95_ms": sorted(taken)[int(SEQUENTIAL * 0.95)],
        }
        for name, taken in times.items()
    }


async def _processor_time(session: aiohttp.ClientSession, contender: Contender) -> Sample:
    """Ask over many connections: for how many answers a second, and what each takes."""

    async def work() -> None:
        for _ in range(CONCURRENT // CONNECTIONS):
            await _one(session, contender, contender.model)

    before_ms, began = contender.cpu_ms(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    sample = {"per_s": CONCURRENT / (time.perf_counter() - began)}
    after_ms = contender.cpu_ms()
    if before_ms is not None and after_ms is not None:
        sample["cpu_ms"] = (after_ms - before_ms) / CONCURRENT
    return sample


async def _failover(session: aiohttp.ClientSession, contender: Contender) -> Sample:
    """Compare a model that cannot answer with the one that does in its place."""
    if contender.failing is None:
        return {}
    direct, failed = [], []
    for _ in range(FAILOVERS):
        direct.append(await _one(session, contender, "up"))
        failed.append(await _one(session, contender, contender.failing))
    return {"failover_ms": statistics.median(failed) - statistics.median(direct)}
