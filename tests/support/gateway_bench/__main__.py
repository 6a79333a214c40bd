"""Measures and prints: `python -m gateway_bench [--rounds N] [--json FILE]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from gateway_bench.contenders import Contender, running

WARM_UP = 20
SEQUENTIAL = 200
CONNECTIONS = 16
CONCURRENT = 160
FAILOVERS = 20
Sample = dict[str, float]


async def one(session: aiohttp.ClientSession, contender: Contender, model: str) -> float:
    """Send one chat request; return its milliseconds."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {contender.key}"}
    began = time.perf_counter()
    url = f"{contender.url}/v1/chat/completions"
    async with session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()
    return (time.perf_counter() - began) * 1000


async def measure(contender: Contender) -> Sample:
    """Take one round of all measurements."""
    async with aiohttp.ClientSession() as session:
        for _ in range(WARM_UP):
            await one(session, contender, "up")
        used_ms = contender.cpu_ms()
        times = sorted([await one(session, contender, "up") for _ in range(SEQUENTIAL)])
        sample = {"p50_ms": statistics.median(times), "p95_ms": times[int(SEQUENTIAL * 0.95)]}
        sample["cpu_ms"] = (contender.cpu_ms() - used_ms) / SEQUENTIAL
        sample["per_s"] = await _throughput(session, contender)
        if contender.falls_back:
            failed = [await one(session, contender, "down") for _ in range(FAILOVERS)]
            sample["failover_ms"] = statistics.median(failed) - sample["p50_ms"]
    return sample


async def _throughput(session: aiohttp.ClientSession, contender: Contender) -> float:
    async def work() -> None:
        for _ in range(CONCURRENT // CONNECTIONS):
            await one(session, contender, "up")

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return CONCURRENT / (time.perf_counter() - began)


def main() -> None:
    """Measure every contender in turn, several rounds, and print the medians."""
    parser = argparse.ArgumentParser(prog="gateway_bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    with running() as contenders:
        samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
        for number in range(options.rounds):
            for contender in contenders:
                samples[contender.name].append(asyncio.run(measure(contender)))
            print(f"round {number + 1} of {options.rounds} done", flush=True)
    medians = {name: _median(taken) for name, taken in samples.items()}
    _show(medians, options.rounds)
    if options.json:
        options.json.write_text(json.dumps({"medians": medians, "rounds": samples}, indent=2))


def _median(taken: list[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in taken) for key in taken[0]}


def _show(medians: dict[str, Sample], rounds: int) -> None:
    columns: dict[str, Any] = {
        "p50_ms": "one after another, p50",
        "p95_ms": "p95",
        "cpu_ms": "processor time",
        "per_s": f"{CONNECTIONS} connections",
        "failover_ms": "a fallback adds",
    }
    table = Table(title=f"Medians of {rounds} interleaved rounds")
    table.add_column("")
    for title in columns.values():
        table.add_column(title, justify="right")
    for name, sample in medians.items():
        units = {key: "/s" if key == "per_s" else " ms" for key in columns}
        cells = [f"{sample[k]:.1f}{units[k]}" if k in sample else "-" for k in columns]
        table.add_row(name, *cells)
    Console().print(table)
    for key, what in (("p50_ms", "LiteLLM's p50"), ("cpu_ms", "its processor time")):
        cost = medians["gateway"][key] - medians["LiteLLM alone"][key]
        print(f"The edge adds {cost:+.2f} ms to {what}.")


if __name__ == "__main__":
    main()
