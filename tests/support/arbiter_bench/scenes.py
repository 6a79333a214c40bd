"""What the policy and the transitions are worth to clients, in real time over HTTP."""

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any

from arbiter_bench.processes import resident_mib
from arbiter_bench.server import (
    ANSWER_HALF_S,
    ARBITER,
    LOAD_2_S,
    Site,
    site,
)

HELD = 2000


async def swap(folder: Path) -> dict[str, Any]:
    """Compare the time of a switch with what its engines need when called directly."""
    engine = {"sleep_s": 0.2, "first_sleep_s": 0.2, "wake_s": 0.3, "ttft_s": 0.02}
    async with site(folder, "a", "b", engine=engine) as home:
        for model in "abababababab":
            await home.ask(model, max_tokens=1)
        spans = [span for span in (await home.status())["timeline"] if span["kind"] == "switch"]
        ours_s = median(span["to_s"] - span["from_s"] for span in spans[3:])
        engines_s = median([await _directly(home) for _ in range(9)])
    return {"switch_s": ours_s, "engines_s": engines_s, "overhead_s": ours_s - engines_s}


async def _directly(home: Site) -> float:
    """Sleep, wake and ask for one token without the arbiter; `b` is awake before and after."""
    url = home.engines["b"]
    message = {"role": "user", "content": "Count from one to ten in words."}
    question = {"model": "b", "messages": [message], "max_tokens": 1}
    started_s = time.perf_counter()
    for path, body in (
        ("/sleep?level=1", None),
        ("/wake_up", None),
        ("/v1/chat/completions", question),
    ):
        async with home.client.post(url + path, json=body) as answer:
            await answer.read()
    return time.perf_counter() - started_s


async def starvation(folder: Path) -> dict[str, Any]:
    """Two closed-loop clients on A for 30 s, one request for B after 2 s."""
    engine = {**LOAD_2_S, **ANSWER_HALF_S}
    async with site(folder, "a", "b", engine=engine) as home:
        await home.ask("a")
        alone = await _closed_loop(home, "a", 5.0)
        disturbed = asyncio.create_task(_closed_loop(home, "a", 30.0))
        await asyncio.sleep(2.0)
        status, _, b_s = await home.ask("b")
        served = await disturbed
    return {"b_answered_s": b_s, "b_status": status, "a_share": (served / 30) / (alone / 5)}


async def _closed_loop(home: Site, model: str, seconds: float) -> int:
    """Let two clients ask again and again; return the answers they got in this time."""
    end_s = time.perf_counter() + seconds
    counts = [0, 0]

    async def client(index: int) -> None:
        while time.perf_counter() < end_s:
            status, code, _ = await home.ask(model)
            if status != 200:
                raise RuntimeError(f"{model} answered {status} {code}")
            counts[index] += time.perf_counter() <= end_s

    await asyncio.gather(client(0), client(1))
    return sum(counts)


async def agents(folder: Path) -> dict[str, Any]:
    """Two agents, each with its own model, 10 sequential requests each, thinking 0.2 s."""
    engine = {**LOAD_2_S, **ANSWER_HALF_S}
    async with site(folder, "a", "b", engine=engine) as home:
        await home.ask("a")
        before = (await home.status())["switches"]
        started_s = time.perf_counter()

        async def agent(model: str) -> None:
            for _ in range(10):
                await home.ask(model)
                await asyncio.sleep(0.2)

        await asyncio.gather(agent("a"), agent("b"))
        makespan_s = time.perf_counter() - started_s - 0.2
        swaps = (await home.status())["switches"] - before
    return {"swaps": swaps, "makespan_s": makespan_s}


async def thirty(folder: Path) -> dict[str, Any]:
    """30 at once on one model that sleeps."""
    async with site(folder, "a", "b", engine={**LOAD_2_S, **ANSWER_HALF_S}) as home:
        answers = await asyncio.gather(*(home.ask("b") for _ in range(30)))
    return {"answered": sum(status == 200 for status, _, _ in answers)}


def _question(number: int) -> bytes:
    body = b'{"model":"b","messages":[{"role":"user","content":"hello"}]}'
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\n"
        f"x-request-id: held-{number:05d}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def held(folder: Path) -> dict[str, Any]:
    """2,000 requests wait while their model wakes; they are answered in order of arrival."""
    engine = {"sleep_s": 0.2, "first_sleep_s": 0.2, "wake_s": 12.0, "ttft_s": 0.0}
    engine |= {"tokens_per_s": 0, "answer_tokens": 1}
    # One at a time, so that the engine's order of arrival is the order of admission.
    async with site(folder, "a", "b", engine=engine, concurrency=1) as home:
        empty_mib = resident_mib(home.arbiter_pid)
        # Open every connection first, so that the order of asking is ours alone.
        opened = [await asyncio.open_connection("127.0.0.1", ARBITER) for _ in range(HELD)]
        for number, (_, writer) in enumerate(opened):
            writer.write(_question(number))
            await asyncio.sleep(0.001)
        waiting = (await home.status())["models"][1]["waiting"]
        peak_mib = resident_mib(home.arbiter_pid)
        answers = await asyncio.gather(*(reader.readline() for reader, _ in opened))
        peak_mib = max(peak_mib, resident_mib(home.arbiter_pid))
        async with home.client.get(f"{home.engines['b']}/simulator/requests") as answer:
            arrivals = (await answer.json())["arrivals"]
        for _, writer in opened:
            writer.transport.abort()
    names = [one["request_id"] for one in arrivals if "held-" in one["request_id"]]
    return {
        "held_at_once": waiting,
        "answered": sum(b" 200 " in line for line in answers),
        "in_order": names == sorted(names) and len(names) == HELD,
        "memory_mib": peak_mib,
        "memory_empty_mib": empty_mib,
    }
