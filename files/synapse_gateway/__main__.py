"""Starts the gateway."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from synapse_common.garbage import look_seldom
from synapse_gateway import config, log_pipe
from synapse_gateway.edge import Edge
from synapse_gateway.keys import KeyRing
from synapse_gateway.metrics import Metrics
from synapse_gateway.people import NoSecretError
from synapse_gateway.server import LAST_BYTES_S, Server, UnfitError

KEYS_REFRESH_S = 2.0


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="synapse_gateway", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's own settings")
    parser.add_argument("--keys", type=Path, required=True, help="folder, one file per key")
    parser.add_argument("--usage", type=Path, help="file with what was used; left out: none")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # a pod's only interface
    options = parser.parse_args()
    try:
        return _run(options)
    except config.ConfigError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)
        return 1
    except (UnfitError, NoSecretError) as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    if options.usage is None and settings.limits_money:
        raise UnfitError("A limit in dollars must survive a restart: name a file with --usage.")
    keys = KeyRing(options.keys)
    metrics = Metrics(CollectorRegistry())
    edge = Edge(settings, keys, metrics, options.usage)
    look_seldom()
    uvloop.run(_serve(keys, edge, Server(edge, metrics, settings.settings, options.host)))
    return 0


async def _serve(keys: KeyRing, edge: Edge, server: Server) -> None:
    """Serve until SIGTERM, then let the requests in flight end within the drain time-out.

    Raises what ended a task that shall never end: without it the gateway would serve wrongly.
    """
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked_to_stop.set)
    pipe = log_pipe.to_pipe()
    await server.start()
    engines = edge.engines
    following = [engines.health.follow(engines.is_well), edge.usage.follow()]
    besides = [asked_to_stop.wait(), _refresh(keys), *following]
    running = [asyncio.create_task(each) for each in besides]
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    await server.stop()
    await edge.usage.close()
    pipe.close(LAST_BYTES_S)
    for task in running:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _refresh(keys: KeyRing) -> None:
    while True:
        await asyncio.sleep(KEYS_REFRESH_S)
        with contextlib.suppress(OSError):  # the files are being replaced; next time
            keys.refresh()


if __name__ == "__main__":
    sys.exit(main())
