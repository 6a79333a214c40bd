"""One round: every way is asked in turn, so that a busy moment of the machine meets them all."""

from __future__ import annotations

import random
import statistics

from arbiter_bench.load import chunks_per_second, closed_loop
from arbiter_bench.processes import cpu_s
from gateway_bench import site
from gateway_bench.ways import Way

BLOCKS, IN_A_ROW = 10, 20
"""Requests one after another: so many in a row, then it is the next way's turn."""
CONNECTIONS = 16
TURNS = 3
CONCURRENT = 1000
"""In one turn, over all connections."""
LITELLM = "LiteLLM alone"
LITELLM_CONCURRENT = 64
"""It takes 8 ms of a core for each."""
STREAMS = ("the engine", "bare proxy", "arbiter", "edge", "edge, Ollama", "edge, arbiter")
FAILING = {
    "refused": ("edge", site.AWAY),
    "503": ("edge", site.FULL),
    "LiteLLM": (LITELLM, site.AWAY),
}
"""Whom to ask for a model that cannot answer, so that its fallback does."""
Figures = dict[str, dict[str, float]]


async def measure(ways: dict[str, Way]) -> Figures:
    """Take one round of all measurements; return them by way, and what failovers add."""
    found = await _one_after_another(ways)
    for name, figures in (await _many_at_once(ways)).items():
        found[name] |= figures
    for name in STREAMS:
        rate = await chunks_per_second(ways[name].port, ways[name].question(stream=True))
        found[name]["events_per_s"] = rate
    added = {name: await _failover(ways[way], model) for name, (way, model) in FAILING.items()}
    return found | {"failover_ms": added}


async def _one_after_another(ways: dict[str, Way]) -> Figures:
    taken_s: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(BLOCKS):
        for name in random.sample(list(ways), len(ways)):
            taken_s[name] += await _in_a_row(ways[name], ways[name].model)
    return {name: _quantiles_ms(taken) for name, taken in taken_s.items()}


def _quantiles_ms(taken_s: list[float]) -> dict[str, float]:
    """Return the median, and the quarter, which work of others on the same core disturbs less."""
    quarter_s, half_s, _ = statistics.quantiles(taken_s, n=4)
    return {"p50_ms": 1000 * half_s, "p25_ms": 1000 * quarter_s}


async def _in_a_row(way: Way, model: str) -> list[float]:
    return (await closed_loop(way.port, IN_A_ROW, 1, way.question(model))).latencies_s


async def _many_at_once(ways: dict[str, Way]) -> Figures:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name in random.sample(list(ways), len(ways)):
            requests = LITELLM_CONCURRENT if name == LITELLM else CONCURRENT
            taken[name].append(await _at_once(ways[name], requests))
    return {
        name: {
            "per_s": statistics.median(per_s for per_s, _ in turns),
            "cpu_ms": statistics.median(cpu_ms for _, cpu_ms in turns),
        }
        for name, turns in taken.items()
    }


async def _at_once(way: Way, requests: int) -> tuple[float, float]:
    """Return the answers in a second, and the milliseconds of a core that each took."""
    before_s = cpu_s(way.pids)
    run = await closed_loop(way.port, requests, CONNECTIONS, way.question())
    return run.per_second, 1000 * (cpu_s(way.pids) - before_s) / requests


async def _failover(way: Way, failing: str) -> float:
    """Compare a model that cannot answer with the one that does in its place."""
    direct: list[float] = []
    failed: list[float] = []
    for _ in range(BLOCKS // 2):
        direct += await _in_a_row(way, site.STRAIGHT)
        failed += await _in_a_row(way, failing)
    return 1000 * (statistics.median(failed) - statistics.median(direct))
