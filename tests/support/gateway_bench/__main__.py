"""Measures and prints: `python -m gateway_bench [--rounds N] [--json FILE]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway_bench.contenders import running
from gateway_bench.measuring import CONNECTIONS, Sample, measure
from gateway_bench.uploads import RECORDING_MIB, UPLOADS, memory

TABLE_WIDTH = 110
COLUMNS = {
    "p50_ms": "one after another, p50",
    "p95_ms": "p95",
    "cpu_ms": "processor time",
    "per_s": f"{CONNECTIONS} connections",
    "failover_ms": "a fallback adds",
}


async def main() -> None:
    """Measure all contenders together, several rounds, and print the medians."""
    parser = argparse.ArgumentParser(prog="gateway_bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    rounds: list[dict[str, Sample]] = []
    async with running() as contenders:
        for number in range(options.rounds):
            rounds.append(await measure(contenders))
            print(f"round {number + 1} of {options.rounds} done", flush=True)
        gateway = next(each for each in contenders if each.name == "gateway")
        before_mib, most_mib = await memory(gateway)
    medians = {name: _median([each[name] for each in rounds]) for name in rounds[0]}
    _show(medians, options.rounds)
    print(
        f"While {UPLOADS} recordings of {RECORDING_MIB} MiB pass at once the gateway's memory goes"
    )
    print(f"from {before_mib:.0f} to {most_mib:.0f} MiB ({most_mib - before_mib:+.0f} MiB).")
    if options.json:
        options.json.write_text(json.dumps({"medians": medians, "rounds": rounds}, indent=2))


def _median(taken: list[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in taken) for key in taken[0]}


def _show(medians: dict[str, Sample], rounds: int) -> None:
    table = Table(title=f"Medians, rounds: {rounds}")
    table.add_column("", no_wrap=True)
    for title in COLUMNS.values():
        table.add_column(title, justify="right")
    for name, sample in medians.items():
        units = {key: "/s" if key == "per_s" else " ms" for key in COLUMNS}
        cells = [f"{sample[k]:.1f}{units[k]}" if k in sample else "-" for k in COLUMNS]
        table.add_row(name, *cells)
    Console(width=TABLE_WIDTH).print(table)
    for key, what in (("p50_ms", "LiteLLM's p50"), ("cpu_ms", "its processor time")):
        cost = medians["gateway"][key] - medians["LiteLLM alone"][key]
        print(f"The edge adds {cost:+.2f} ms to {what}.")
    p50: dict[str, Any] = {name: sample["p50_ms"] for name, sample in medians.items()}
    alone = p50["LiteLLM alone, engine"] - p50["engine"]
    ours = p50["gateway, arbiter, engine"] - p50["engine"]
    refused = medians["gateway, arbiter, engine"]["failover_ms"]
    print(f"Before an engine that is awake LiteLLM alone adds {alone:.2f} ms to the p50, gateway")
    print(f"and arbiter {ours:.2f} ms, which is {ours - alone:+.2f} ms (at most +1 is wanted).")
    print(f"What the arbiter refuses the CPU answers {refused:.1f} ms later than what it is asked")
    print("itself (at most 50 is wanted).")


if __name__ == "__main__":
    asyncio.run(main())
