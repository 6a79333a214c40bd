"""Latency, throughput and chunk rate: direct, through a bare proxy, through the arbiter."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from arbiter_bench.load import chunks_per_second, closed_loop
from arbiter_bench.processes import cpu_s, running

UPSTREAM, BARE, ARBITER = 24050, 24051, 24052
WARM_UP = 500


@asynccontextmanager
async def _three(folder: Path) -> AsyncIterator[dict[str, tuple[int, int]]]:
    """Start the upstream and both proxies; yield the port and process of each road."""
    address = f"http://127.0.0.1:{UPSTREAM}"
    config = {
        "ports": {"inference": ARBITER, "boot": 24053, "metrics": 24054, "operator": 24055},
        "gpu": {"vram_gib": 32, "vram_source": "none"},
        "models": [{"name": "a", "url": address, "vram_gib": 24, "concurrency": 64}],
        "limits": {"watch_s": 3600},
    }
    path = folder / "speed.yml"
    path.write_text(yaml.safe_dump(config))
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        upstream = await start(running("arbiter_bench.upstream", str(UPSTREAM), port=UPSTREAM))
        bare = await start(running("arbiter_bench.baseline", str(BARE), address, port=BARE))
        ours = await start(running("synapse_arbiter", "--config", str(path), port=ARBITER))
        yield {"direct": (UPSTREAM, upstream), "bare": (BARE, bare), "ours": (ARBITER, ours)}


async def measure(folder: Path, runs: int, requests: int) -> dict[str, Any]:
    """Measure every road in turn, so that a busy moment of the machine meets all of them."""
    found: dict[str, dict[str, list[float]]] = {}
    async with _three(folder) as roads:
        for port, _ in roads.values():
            await closed_loop(port, WARM_UP, 4)
        for _ in range(runs):
            for name, (port, pid) in roads.items():
                one = await _one(port, pid, requests)
                for key, value in one.items():
                    found.setdefault(name, {}).setdefault(key, []).append(value)
    medians = {
        name: {key: median(values) for key, values in one.items()} for name, one in found.items()
    }
    for name in ("bare", "ours"):
        medians[name]["added_p50_ms"] = medians[name]["p50_ms"] - medians["direct"]["p50_ms"]
    return medians


async def _one(port: int, pid: int, requests: int) -> dict[str, float]:
    single = await closed_loop(port, requests // 4, 1)
    before_s = cpu_s([pid])
    many = await closed_loop(port, requests, 16)
    used_s = cpu_s([pid]) - before_s
    return {
        "p50_ms": single.quantile_ms(0.5),
        "p99_ms": single.quantile_ms(0.99),
        "per_second": many.per_second,
        "cpu_us_per_request": 1e6 * used_s / requests,
        "chunks_per_second": await chunks_per_second(port),
    }
