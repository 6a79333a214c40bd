"""Fetches models or voices that are not there yet; what cannot be had is named in a report.

It ends well whatever could be had: the server after it serves what is there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from synapse_fetching import cards
from synapse_fetching.download import GIB
from synapse_fetching.fetching import Fetcher, missing
from synapse_fetching.wanted import KINDS

REPORT_BYTES = 4096
"""What Kubernetes keeps of a container's last words."""


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="synapse_fetching", description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("names", nargs="+", help="owner/name, or a voice such as en_US-amy-medium")
    parser.add_argument("--folder", type=Path, required=True, help="where they are to be")
    parser.add_argument("--report", type=Path, required=True, help="a line for each failure")
    parser.add_argument("--limit-s", type=float, required=True, help="for all of them together")
    parser.add_argument("--reserve-gib", type=float, required=True, help="room that stays free")
    parser.add_argument("--offline", action="store_true", help="fetch nothing, only look")
    options = parser.parse_args()
    # The first process of a container ignores signals that it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    options.folder.mkdir(parents=True, exist_ok=True)
    for line in cards.set_aside(options.folder):
        _say(line)
    wanted = [KINDS[options.kind](name, options.folder) for name in options.names]
    if options.offline:
        reasons = missing(wanted)
    else:
        fetcher = Fetcher(options.limit_s, int(options.reserve_gib * GIB), _say)
        reasons = fetcher.fetch(wanted)
    lines = "".join(f"{name}: {reason}\n" for name, reason in reasons.items())
    print(lines, end="", file=sys.stderr, flush=True)
    options.report.write_bytes(lines.encode()[:REPORT_BYTES])
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
