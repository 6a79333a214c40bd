"""Starts the gateway."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import signal
import sys
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry, start_http_server

from synapse_gateway import config
from synapse_gateway.edge import Edge
from synapse_gateway.keys import KeyRing
from synapse_gateway.metrics import Metrics
from synapse_gateway.server import Server

KEYS_REFRESH_S = 2.0


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="synapse_gateway", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's own settings")
    parser.add_argument("--keys", type=Path, required=True, help="folder, one file per key")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # a pod's only interface
    options = parser.parse_args()
    try:
        return _run(options)
    except config.ConfigError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    # Each request has a few files and connections; a container's first limit may be 1024.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    keys = KeyRing(options.keys)
    registry = CollectorRegistry()
    edge = Edge(settings, keys, Metrics(registry))
    start_http_server(settings.settings.metrics_port, addr=options.host, registry=registry)
    uvloop.run(_serve(keys, edge, Server(edge, settings.settings, options.host)))
    return 0


async def _serve(keys: KeyRing, edge: Edge, server: Server) -> None:
    """Serve until SIGTERM, then let the requests in flight end within the drain time-out."""
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked_to_stop.set)
    await server.start()
    engines = edge.engines
    besides = [_refresh(keys), engines.health.follow(engines.is_well)]
    running = [asyncio.create_task(each) for each in besides]
    await asked_to_stop.wait()
    await server.stop()
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
