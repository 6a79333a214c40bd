"""What was found, as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from synapse_common.finding import Finding

COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}
HEADINGS = {
    "this machine": "This machine",
    "site": "Site",
    "server": "Server",
    "gpu": "GPU",
    "cluster": "Cluster",
}


def report(findings: Sequence[Finding], console: Console) -> int:
    """Print a line for each finding, then what to do; return 1 when something is wrong."""
    width = max((len(finding.what) for finding in findings), default=0)
    for place, found in groupby(findings, key=lambda finding: finding.place):
        console.print(f"[bold]{HEADINGS[place]}[/]")
        for finding in found:
            mark = f"[{COLOURS[finding.level]}]{finding.level:5}[/]"
            console.print(
                f"  {mark}  {escape(finding.what):{width}}  {escape(finding.seen)}", soft_wrap=True
            )
    _remedies("What to do:", [one for one in findings if one.level == "wrong"], console)
    _remedies("Worth knowing:", [one for one in findings if one.level == "note"], console)
    if status := _status(findings):
        return status
    console.print(
        "\nReady. [bold]make check[/] shows what would change, [bold]make deploy[/] does it."
    )
    return 0


def _remedies(heading: str, findings: Sequence[Finding], console: Console) -> None:
    """Print a line each, and break none: commands in them are to be copied."""
    if findings:
        console.print(f"\n{heading}")
    for finding in findings:
        console.print(f"  {escape(finding.what)}: {escape(finding.remedy)}", soft_wrap=True)


def as_json(findings: Sequence[Finding], console: Console) -> int:
    """Print a list of {place, what, seen, level, remedy}; return 1 when something is wrong."""
    told = [
        {
            "place": finding.place,
            "what": finding.what,
            "seen": finding.seen,
            "level": finding.level,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]
    console.out(json.dumps(told, indent=2, ensure_ascii=False), highlight=False)
    return _status(findings)


def _status(findings: Sequence[Finding]) -> int:
    return int(any(finding.level == "wrong" for finding in findings))
