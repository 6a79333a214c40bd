"""Connects to targets, all at once, and prints who answered at each; nobody: refused, or silent."""

from __future__ import annotations

import asyncio
import json
import sys

LIMIT_S = 5.0


async def ask(target: str) -> str:
    """Return the name that comes back."""
    host, _, port = target.rpartition(":")
    try:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            name = (await reader.read()).decode()
            writer.close()
    except OSError:
        return "nobody"
    return name


async def main(targets: list[str]) -> None:
    """Print a mapping from each target to who answered."""
    names = await asyncio.gather(*map(ask, targets))
    print(json.dumps(dict(zip(targets, names, strict=True))))


asyncio.run(main(sys.argv[1:]))
