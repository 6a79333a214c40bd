"""Play everything on this machine, and search: python -m abuse --search 300."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from abuse import cases
from abuse.play import KEPT, play
from abuse.search import worst_of
from abuse.site import engines
from abuse.table import lines, markdown, table


def main() -> int:
    """Return 1 when something was not as it should be."""
    parser = argparse.ArgumentParser(prog="abuse", description=__doc__)
    parser.add_argument("--search", type=float, default=240.0, help="seconds to search")
    parser.add_argument("--first", type=int, default=1500, help="kinds that are tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    parser.add_argument("--keep", action="store_true", help="keep the worst found as cases")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    with engines() as ports:
        played = play(
            ports,
            lambda said: console.print(said, markup=False),
            search_s=options.search,
            first=options.first,
            seed=options.seed,
        )
    told = lines(played.rows)
    console.print(table(told))
    for row in played.rows:
        for fault in row.faults:
            console.print(f"{row.case}: {fault}", style="red", markup=False)
    if options.markdown:
        options.markdown.write_text(markdown(told))
    if options.keep:
        cases.save([*cases.load(), *worst_of(played.found, KEPT)])
    return 1 if any(row.faults for row in played.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
