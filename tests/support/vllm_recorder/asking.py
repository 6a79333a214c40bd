"""Make the requests of the battery, one after the other, and describe what comes back."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp

from vllm_recorder.battery import Case, Kind, battery
from vllm_recorder.battery.case import MODEL
from vllm_recorder.describing import describe
from vllm_recorder.recording import Answer, Recording

LIMIT_S = 120.0
# A paused engine may not say how many wait: then so long has to do.
SETTLE_S = 2.0
_GENERATED = "vllm:generation_tokens_total"
_WAITING = "vllm:num_requests_waiting"


async def record(url: str, kind: Kind) -> Recording:
    """Ask everything and describe every answer."""
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        version = (await _json(session, "/version"))["version"]
        served = (await _json(session, "/v1/models"))["data"][0]
        recording = Recording(version, kind, served["id"], served["max_model_len"], {})
        for case in battery(kind):
            recording.answers[case.name] = await _answer(session, case, served["id"])
        return recording


async def _answer(session: aiohttp.ClientSession, case: Case, model: str) -> Answer:
    if case.interruption is None:
        return await _ask(session, case, model)
    before = await _sample(session, _GENERATED)
    if case.interruption.phase == "waiting":
        await _order(session, "/pause?mode=keep")
    asking = asyncio.create_task(_ask(session, case, model))
    if case.interruption.phase == "waiting":
        await _until(session, _WAITING, lambda value: value > 0, SETTLE_S)
    else:
        reached = await _until(session, _GENERATED, lambda value: value > before, LIMIT_S)
        if not reached:
            raise TimeoutError(f"{case.name}: no token in {LIMIT_S:g} s; is the engine well?")
    await _order(session, case.interruption.call)
    if case.interruption.phase == "waiting":
        await _order(session, "/resume")
    answer = await asking
    await _order(session, "/wake_up")
    await _order(session, "/resume")
    return answer


async def _ask(session: aiohttp.ClientSession, case: Case, model: str) -> Answer:
    headers = dict(case.headers)
    body = case.raw if case.body is None else json.dumps(case.body).encode()
    if body is not None:
        headers.setdefault("content-type", "application/json")
    data = body.replace(MODEL.encode(), model.encode()) if body is not None else None
    path = case.path.replace(MODEL, model)
    async with session.request(case.method, path, data=data, headers=headers) as response:
        # What breaks off is part of the answer.
        received = b""
        try:
            async for part in response.content.iter_any():
                received += part
            broken = False
        except aiohttp.ClientPayloadError:
            broken = True
        return describe(response.status, response.headers, received, broken=broken)


async def _order(session: aiohttp.ClientSession, path: str) -> None:
    async with session.post(path, json={}) as response:
        response.raise_for_status()


async def _until(
    session: aiohttp.ClientSession, metric: str, reached: Callable[[float], bool], limit_s: float
) -> bool:
    try:
        async with asyncio.timeout(limit_s):
            while not reached(await _sample(session, metric)):  # noqa: ASYNC110  (over HTTP)
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True


async def _sample(session: aiohttp.ClientSession, metric: str) -> float:
    async with session.get("/metrics") as response:
        text = await response.text()
    return sum(map(float, re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))


async def _json(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as response:
        response.raise_for_status()
        return await response.json()
