"""Play it on a running testbed: python -m chaos --requests 1000."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from rich.console import Console

from chaos.play import play, restart
from chaos.site import read_site
from chaos.table import markdown, rows, table
from synapse_cli.cluster import Cluster
from synapse_testbed.podman import podman

NAMESPACE = "llm-infra"


async def main() -> int:
    """Return 1 when a request ended in silence, short, or not at all."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--markdown", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    base_url = f"http://127.0.0.1:{os.environ.get('SYNAPSE_PORT') or '8000'}"
    testbed = os.environ.get("SYNAPSE_TESTBED") or "forge"
    site = read_site(Cluster(NAMESPACE), base_url)
    story = await play(site, options.requests, console.print)
    restarted = await restart(
        site, lambda: podman("restart", "--time", "20", testbed), console.print
    )
    lines = rows(story, site.gpu_models)
    console.print(table(lines))
    for what, seconds in story.afterwards.items():
        console.print(f"Afterwards, {what}: after {seconds:.1f} s.")
    for what, seconds in restarted.items():
        console.print(f"After a restart of the whole server, {what}: after {seconds:.1f} s.")
    for ending in story.violations:
        console.print(f"[red]{ending}[/]")
    if options.markdown:
        options.markdown.write_text(markdown(lines))
    return 1 if story.violations else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
