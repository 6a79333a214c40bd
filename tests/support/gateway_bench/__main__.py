"""Measures and prints: `python -m gateway_bench [--rounds N] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from dataclasses import asdict
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from gateway_bench import goals, harm
from gateway_bench.measuring import Figures, measure
from gateway_bench.uploads import RECORDING_MIB, UPLOADS, memory
from gateway_bench.ways import running

TABLE_WIDTH = 110
COLUMNS = {
    "p25_ms": ("in turn, p25", "ms"),
    "p50_ms": ("p50", "ms"),
    "per_s": ("16 connections", "/s"),
    "cpu_ms": ("processor time", "ms"),
    "events_per_s": ("events of a stream", "/s"),
}


def main() -> None:
    """Measure all ways together, several rounds, and print the medians beside the goals."""
    parser = argparse.ArgumentParser(prog="gateway_bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    rounds: list[Figures] = []
    loads = [os.getloadavg()[0]]
    with running() as site:
        for number in range(options.rounds):
            found = uvloop.run(measure(site.ways))
            rounds.append(found | {"memory": {"fresh_mib": site.fresh_mib}})
            loads.append(os.getloadavg()[0])
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr, flush=True)
        before_mib, most_mib = uvloop.run(memory(site.edge_pid))
    _show_ways(rounds, list(site.ways))
    _table("Goals", ["", "with LiteLLM inside", "now", "goal", ""], goals.judged(rounds))
    print(f"{UPLOADS} recordings of {RECORDING_MIB} MiB at once take the gateway's memory")
    print(f"from {before_mib:.0f} to {most_mib:.0f} MiB.")
    harms = harm.measured()
    titles = ["", "without", "with", "", "goal", ""]
    _table("Bad luck and bad will", titles, [one.line() for one in harms])
    print(f"Load of the machine meanwhile: {min(loads):.1f} to {max(loads):.1f}.")
    if options.json:
        told: dict[str, object] = {
            "rounds": rounds,
            "loads": loads,
            "uploads_mib": [before_mib, most_mib],
        }
        told["harms"] = [asdict(one) for one in harms]
        options.json.write_text(json.dumps(told, indent=2))


def _show_ways(rounds: list[Figures], names: list[str]) -> None:
    lines = []
    for name in names:
        cells = [name]
        for key, (_, unit) in COLUMNS.items():
            taken = [found[name][key] for found in rounds if key in found[name]]
            cells.append(goals.shown(statistics.median(taken), unit) if taken else "-")
        lines.append(cells)
    titles = ["", *(title for title, _ in COLUMNS.values())]
    _table(f"The same question on every way, medians of {len(rounds)} rounds", titles, lines)
    adds = statistics.median(found["failover_ms"]["LiteLLM"] for found in rounds)
    print(f"A fallback takes LiteLLM alone {adds:.1f} ms longer.")


def _table(title: str, titles: list[str], lines: list[list[str]]) -> None:
    table = Table(title=title)
    for number, told in enumerate(titles):
        table.add_column(told, justify="right" if number else "left")
    for line in lines:
        table.add_row(*line)
    Console(width=TABLE_WIDTH).print(table)


if __name__ == "__main__":
    main()
