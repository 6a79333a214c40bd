"""The table that people read: a line a case."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from abuse.story import Row

HEADINGS = (
    "What somebody does", "Requests", "Answered", "Explicit errors", "Others asked", "answered",
    "Longest wait of others", "Memory", "As it should be",
)  # fmt: skip
CAPTION = "Requests: answered + explicit errors. Others: answered; the longest wait of one of them."


def lines(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [_line(row) for row in rows]


def table(told: Iterable[tuple[str, ...]]) -> Table:
    """Lay the lines out for a terminal of 80 columns."""
    drawn = Table(box=None, header_style="bold", pad_edge=False, caption=CAPTION)
    drawn.add_column(HEADINGS[0])
    for heading in ("Requests", "Others", "Waited", "Memory", ""):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for case, asked, answered, errors, *others, waited, memory, good in told:
        requests = f"{answered}+{errors} of {asked}"
        drawn.add_row(case, requests, f"{others[1]} of {others[0]}", waited, memory, good)
    return drawn


def markdown(told: Iterable[tuple[str, ...]]) -> str:
    """Write the lines as the documents hold them."""
    ruled = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *told]
    return "".join(f"| {' | '.join(line)} |\n" for line in ruled)


def _line(row: Row) -> tuple[str, ...]:
    counts = (row.requests, row.answered, row.errors, row.others_asked, row.others_answered)
    waited, memory = f"{row.longest_s:.2f} s", f"{row.memory_mib:.0f} MiB"
    return row.case, *map(str, counts), waited, memory, "no" if row.faults else "yes"
