"""Read the configuration, build the arbiter, serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from synapse_arbiter.config import ConfigError, Settings, load
from synapse_arbiter.events.event_log import JsonLines
from synapse_arbiter.server import Arbiter
from synapse_common.garbage import look_seldom


def main() -> int:
    """Return 0 after a graceful stop, 2 when the configuration or the GPU is not usable."""
    parser = argparse.ArgumentParser(prog="synapse_arbiter", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="YAML or JSON file")
    options = parser.parse_args()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        settings = load(options.config)
        look_seldom()
        uvloop.run(serve(settings))
    except ConfigError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The arbiter cannot start: {error}", file=sys.stderr)
        return 2
    return 0


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Arbiter(settings):
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
