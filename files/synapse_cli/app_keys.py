"""`make app-keys`: every application with its key's dates, its limits and what it used today."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synapse_cli.cluster import Cluster
from synapse_cli.health import gateway_config
from synapse_cli.keys import entry, read_made

USAGE = "/operator/usage"
TIMEOUT_S = 10.0
WHOLE = ("Application", "Person", "Made", "Last used")
"""Columns that stay in one line, also where the screen is narrow."""
DAY_COLUMNS = 10
LIMITS = {
    "requests_per_minute": "{}/min",
    "tokens_per_minute": "{} tokens/min",
    "parallel_requests": "{} at once",
    "monthly_usd": "{} USD/month",
}


def show(cluster: Cluster, gateway: httpx.Client, console: Console, today: date) -> int:
    """Print the table; without what only the gateway knows where it does not answer."""
    made = read_made(cluster)
    written = gateway_config(cluster, cluster.workloads()).get("apps") or []
    apps = {app["name"]: app for app in written}
    told = ask(gateway, {}, console)
    used = None if told is None else {one["app"]: one for one in told["apps"]}
    has_people = any(one["people_today"] for one in (used or {}).values())
    headings = ["Application", "Made", *(["Last used"] if used is not None else []), "Ends"]
    headings += ["Limits", *(["Requests\ntoday"] if used is not None else [])]
    table = table_of(*headings, *(["People\ntoday"] if has_people else []))
    for name in sorted(made):
        app = apps.get(name, {})
        one = (used or {}).get(name)
        row = [escape(name), day(made[name]) or "unknown"]
        row += [] if used is None else [minute(one and one["last_used"])]
        row += [end(app.get("key_until"), today), limits(app)]
        row += [] if used is None else [str(one["requests_today"]) if one else ""]
        row += [str(one["people_today"] or "") if one else ""] if has_people else []
        table.add_row(*row)
    console.print(table)
    console.print("Days and times are UTC.")
    return 0


def show_people(cluster: Cluster, gateway: httpx.Client, app: str, console: Console) -> int:
    """Print what each person behind one application used this month."""
    entry(dict.fromkeys(read_made(cluster), ""), app)
    told = ask(gateway, {"by": "person", "app": app}, console)
    if told is None:
        return 1
    if not any(one["person"] for one in told["people"]):
        console.print(f"Nobody behind {app} is known by name this month. Its entry's person_from")
        console.print("in apps.yml says what tells its people apart (docs/people-and-keys.md).")
        return 0
    table = table_of("Person", "Requests this month", "Tokens in", "Tokens out", "USD")
    for one in sorted(told["people"], key=lambda one: -int(one["requests"])):
        numbers = (one["requests"], one["tokens_in"], one["tokens_out"])
        table.add_row(one["person"] or "unknown", *map(str, numbers), f"{one['usd']:.2f}")
    console.print(table)
    return 0


def ask(gateway: httpx.Client, query: Mapping[str, str], console: Console) -> Any:
    """What the gateway tells the operator; None, and a sentence, where it does not."""
    try:
        answer = gateway.get(USAGE, params=dict(query), timeout=TIMEOUT_S)
    except httpx.HTTPError as fault:
        why = f"The gateway does not answer ({type(fault).__name__})"
    else:
        if answer.is_success:
            return answer.json()
        why = f"The gateway answers {answer.status_code}"
        if answer.headers.get("content-type") == "text/plain":  # not its own: of the way there
            why = answer.text.strip().removesuffix(".")
    console.print(f"{escape(why)}, so nobody knows what was used.")
    return None


def table_of(*headings: str) -> Table:
    """A table with these columns; numbers stand at the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for heading in headings:
        is_number = heading.startswith(("Requests", "People", "Tokens", "USD"))
        table.add_column(
            heading,
            justify="right" if is_number else "left",
            no_wrap=heading in WHOLE,
            min_width=DAY_COLUMNS if heading == "Ends" else None,
        )
    return table


def day(written: str | None) -> str:
    """The day of a time in UTC."""
    return written[:10] if written else ""


def minute(written: str | None) -> str:
    """A time in UTC, to the minute."""
    return f"{written[:10]} {written[11:16]}" if written else "never"


def end(last_day: str | None, today: date) -> str:
    """When a key ends, or that it has."""
    if not last_day:
        return ""
    is_over = date.fromisoformat(str(last_day)) < today
    return f"[red]ended {last_day}[/]" if is_over else str(last_day)


def limits(app: Mapping[str, Any]) -> str:
    """The limits of an application, as its entry states them; on a narrow screen they wrap."""
    return ", ".join(text.format(short(app[key])) for key, text in LIMITS.items() if app.get(key))


def short(number: float) -> str:
    """A number as it was written."""
    return str(int(number) if number == int(number) else number)


def today_utc() -> date:
    """The day that keys go by."""
    return datetime.now(UTC).date()
