"""Measure everything, print the table, write the same numbers as JSON."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from arbiter_bench import scenes, speed
from arbiter_bench.soak import soak
from arbiter_bench.table import render

Scene = Callable[[Path], Awaitable[dict[str, Any]]]


def main() -> int:
    """Return 1 when a figure misses its target."""
    parser = argparse.ArgumentParser(prog="arbiter_bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--runs", type=int, default=5, help="of the speed figures")
    parser.add_argument("--requests", type=int, default=10_000, help="of the soak")
    parser.add_argument("--only", nargs="*", help="names of measurements")
    options = parser.parse_args()
    figures = uvloop.run(_measure(options))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    text, missed = render(figures)
    print(text)
    return 1 if missed else 0


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    scenes_by_name: dict[str, Scene] = {
        "speed": lambda folder: speed.measure(folder, options.runs, 8000),
        "swap": scenes.swap,
        "starvation": scenes.starvation,
        "agents": scenes.agents,
        "thirty": scenes.thirty,
        "held": scenes.held,
        "soak": lambda folder: soak(folder, options.requests),
    }
    figures: dict[str, Any] = {"machine": {"cores": os.cpu_count(), "load": os.getloadavg()}}
    for name, scene in scenes_by_name.items():
        if options.only and name not in options.only:
            continue
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = await scene(Path(folder))
        await asyncio.sleep(0)
    return figures


if __name__ == "__main__":
    sys.exit(main())
