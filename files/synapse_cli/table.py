"""The health table: what it is made of, and how it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One line of the table; `latency_s` is None where nothing was asked."""

    service: str
    model: str
    state: str
    healthy: bool
    latency_s: float | None = None


def render(rows: Iterable[Row], console: Console) -> int:
    """Print the table and return the exit status: 1 when any row is unhealthy."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("Service", "Model", "State", "Latency"):
        table.add_column(heading, justify="right" if heading == "Latency" else "left")
    sick = []
    for row in rows:
        latency = "" if row.latency_s is None else f"{row.latency_s * 1000:.0f} ms"
        table.add_row(
            row.service,
            row.model,
            f"[{'green' if row.healthy else 'red'}]{escape(row.state)}[/]",
            latency,
        )
        if not row.healthy:
            sick.append(row)
    console.print(table)
    for row in sick:
        console.print(
            f"[red]{row.service}{' ' + row.model if row.model else ''}: {escape(row.state)}.[/]"
        )
    if sick:
        console.print("docs/troubleshooting.md says what to do.")
    return 1 if sick else 0
