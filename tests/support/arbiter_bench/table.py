"""The table of the figures, with what they are compared with."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One figure: where it comes from, what it is compared with, whether it is good enough."""

    scene: str
    what: str
    elsewhere: str
    target: str
    ours: Callable[[dict[str, Any]], str]
    good: Callable[[dict[str, Any]], bool]


ROWS = [
    Row(
        "speed",
        "added latency, one at a time, p50",
        "0.55 ms (bare {bare[added_p50_ms]:.2f} ms)",
        "< 0.55 ms",
        lambda f: f"{f['ours']['added_p50_ms']:.2f} ms",
        lambda f: bool(f["ours"]["added_p50_ms"] < 0.55),
    ),
    Row(
        "speed",
        "answers, 16 connections, one core",
        "2,630/s (bare {bare[per_second]:,.0f}/s)",
        "> 4,000/s",
        lambda f: f"{f['ours']['per_second']:,.0f}/s",
        lambda f: bool(f["ours"]["per_second"] > 4000),
    ),
    Row(
        "speed",
        "processor time an answer",
        "bare {bare[cpu_us_per_request]:.0f} us",
        "< bare + 150 us",
        lambda f: f"{f['ours']['cpu_us_per_request']:.0f} us",
        lambda f: bool(f["ours"]["cpu_us_per_request"] < f["bare"]["cpu_us_per_request"] + 150),
    ),
    Row(
        "speed",
        "SSE pass-through",
        "(bare {bare[chunks_per_second]:,.0f}/s)",
        "> 20,000/s",
        lambda f: f"{f['ours']['chunks_per_second']:,.0f}/s",
        lambda f: bool(f["ours"]["chunks_per_second"] > 20_000),
    ),
    Row(
        "swap",
        "switch beyond the engines' own time",
        "+0.96 s",
        "< 0.02 s",
        lambda f: f"{f['overhead_s']:+.3f} s",
        lambda f: bool(f["overhead_s"] < 0.02),
    ),
    Row(
        "starvation",
        "one request for B beside a busy A",
        "31.2 s, unbounded",
        "< 11 s",
        lambda f: f"{f['b_answered_s']:.1f} s",
        lambda f: bool(f["b_answered_s"] < 11 and f["b_status"] == 200),
    ),
    Row(
        "starvation",
        "A's throughput meanwhile",
        "-",
        ">= 75 %",
        lambda f: f"{100 * f['a_share']:.0f} %",
        lambda f: bool(f["a_share"] >= 0.75),
    ),
    Row(
        "agents",
        "two agents, two models: swaps",
        "20",
        "<= 5",
        lambda f: str(f["swaps"]),
        lambda f: bool(f["swaps"] <= 5),
    ),
    Row(
        "agents",
        "two agents, two models: makespan",
        "53.1 s",
        "<= 24 s",
        lambda f: f"{f['makespan_s']:.1f} s",
        lambda f: bool(f["makespan_s"] <= 24),
    ),
    Row(
        "thirty",
        "30 at once on one model",
        "20 x 429",
        "30 answers",
        lambda f: f"{f['answered']} answers",
        lambda f: bool(f["answered"] == 30),
    ),
    Row(
        "held",
        "2,000 held while a model wakes",
        "-",
        "in order, < 150 MB",
        lambda f: (
            f"{f['answered']}, order {'kept' if f['in_order'] else 'LOST'}, "
            f"{f['memory_mib']:.0f} MiB"
        ),
        lambda f: bool(f["answered"] == 2000 and f["in_order"] and f["memory_mib"] < 143),
    ),
    Row(
        "soak",
        "soak with faults: lost / truncated / twice",
        "-",
        "0 / 0 / 0",
        lambda f: f"{f['lost']} / {f['truncated']} / {f['twice']} of {f['requests']:,}",
        lambda f: bool(f["lost"] == f["truncated"] == f["twice"] == 0 and f["recovered"]),
    ),
    Row(
        "soak",
        "soak: memory early -> late",
        "-",
        "flat",
        lambda f: f"{f['memory_early_mib']:.0f} -> {f['memory_late_mib']:.0f} MiB",
        lambda f: bool(f["memory_late_mib"] < f["memory_early_mib"] + 10),
    ),
]


def render(figures: dict[str, Any]) -> tuple[str, int]:
    """Return the table and how many figures miss their target."""
    lines = ["| what | best known elsewhere | target | ours | |", "|---|---|---|---|---|"]
    missed = 0
    for row in ROWS:
        if row.scene not in figures:
            continue
        figure = figures[row.scene]
        good = row.good(figure)
        missed += not good
        elsewhere = row.elsewhere.format(**figure)
        mark = "" if good else "**missed**"
        lines.append(f"| {row.what} | {elsewhere} | {row.target} | {row.ours(figure)} | {mark} |")
    return "\n".join(lines), missed
