"""What is wanted, beside what was measured; every figure is compared within its own round."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from gateway_bench.measuring import Figures

Figure = Callable[[Figures], float]


@dataclass(frozen=True)
class Row:
    """One goal."""

    what: str
    before: str
    """What it was when every answer went through LiteLLM."""
    ours: Figure
    goal: Figure
    unit: str
    at_least: bool = False


def added(name: str, base: str = "the engine") -> Figure:
    """Return how much longer an answer takes on one way than on another."""
    return lambda found: found[name]["p50_ms"] - found[base]["p50_ms"]


def of_bare(factor: float) -> Figure:
    """Return so many times what the bare proxy adds."""
    return lambda found: factor * added("bare proxy")(found)


def rate(name: str, key: str = "per_s") -> Figure:
    """Return how much passes in a second."""
    return lambda found: found[name][key]


def share(name: str) -> Figure:
    """Return a way's answers a second as a share of the bare proxy's."""
    return lambda found: found[name]["per_s"] / found["bare proxy"]["per_s"]


def failover(how: str) -> Figure:
    """Return how much later another model answers than it does when it is asked itself."""
    return lambda found: found["failover_ms"][how]


def fresh_mib(found: Figures) -> float:
    """Return the gateway's memory before its first request."""
    return found["memory"]["fresh_mib"]


def fixed(value: float) -> Figure:
    """Return a goal that is the same on every machine."""
    return lambda _: value


# The goals are 1.0 and 0.6 ms where the bare proxy adds 0.4.
ROWS = (
    Row("edge + arbiter: added, p50", "13 to 21", added("edge, arbiter"), of_bare(2.5), "ms"),
    Row(
        "edge before Ollama: added, p50",
        "12",
        added("edge, Ollama", "the engine, as Ollama"),
        of_bare(1.5),
        "ms",
    ),
    Row(
        "of that, translating to Ollama's API and back",
        "-",
        added("edge, Ollama", "edge"),
        fixed(1.0),
        "ms",
    ),
    Row("answers, of the bare proxy's", "0.03", share("edge"), fixed(0.4), "", at_least=True),
    Row("the same, before Ollama", "0.03", share("edge, Ollama"), fixed(0.4), "", at_least=True),
    Row("events of a stream", "-", rate("edge", "events_per_s"), fixed(20_000), "/s", True),
    Row(
        "the same, before Ollama",
        "-",
        rate("edge, Ollama", "events_per_s"),
        fixed(20_000),
        "/s",
        at_least=True,
    ),
    Row("memory of a fresh edge", "325", fresh_mib, fixed(90), "MiB"),
    Row("a refused connection: fallback", "11 to 17", failover("refused"), fixed(3), "ms"),
    Row("a 503 of the engine: fallback", "11 to 17", failover("503"), fixed(3), "ms"),
)


def judged(rounds: list[Figures]) -> list[list[str]]:
    """Return the rows as text: medians over the rounds, and which goals are missed."""
    lines = []
    for row in ROWS:
        ours = statistics.median(map(row.ours, rounds))
        goal = statistics.median(map(row.goal, rounds))
        met = ours >= goal if row.at_least else ours <= goal
        wanted = f"{'>=' if row.at_least else '<='} {shown(goal, row.unit)}"
        unit = f" {row.unit}" if row.before != "-" and row.unit else ""
        lines.append(
            [row.what, row.before + unit, shown(ours, row.unit), wanted, "" if met else "missed"]
        )
    return lines


def shown(value: float, unit: str) -> str:
    """Write a figure with as many digits as mean something."""
    digits = 0 if unit in ("/s", "MiB", "requests") else 2
    return f"{value:,.{digits}f} {unit}".rstrip().replace(" /s", "/s")
