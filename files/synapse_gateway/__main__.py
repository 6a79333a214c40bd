"""Starts the gateway."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, start_http_server

from synapse_common.secrets import MASTER_ENTRY
from synapse_gateway import config
from synapse_gateway.edge import Edge
from synapse_gateway.keys import KeyRing
from synapse_gateway.litellm_proxy.app import check, load
from synapse_gateway.metrics import Metrics
from synapse_gateway.settings import Settings

KEYS_REFRESH_S = 2.0
KEEP_ALIVE_S = 75


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="synapse_gateway", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's own settings")
    parser.add_argument("--litellm-config", type=Path, required=True, help="LiteLLM's settings")
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
    master_key = (options.keys / MASTER_ENTRY).read_text().strip()
    litellm_app, warnings = load(settings, options.litellm_config, master_key)
    check(options.litellm_config, warnings)
    # The server hands its signal on once it has drained; being asked to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keys = KeyRing(options.keys)
    registry = CollectorRegistry()
    edge = Edge(settings, keys, Metrics(registry), litellm_app, master_key)
    start_http_server(settings.settings.metrics_port, addr=options.host, registry=registry)
    uvloop.run(_serve(edge, keys, settings.settings, options.host))
    return 0


async def _serve(edge: Edge, keys: KeyRing, settings: Settings, host: str) -> None:
    """Serve until SIGTERM, then let the requests in flight end within the drain time-out."""
    server = uvicorn.Server(
        uvicorn.Config(
            edge,
            host=host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.drain_timeout_s),
        )
    )
    refresher = asyncio.create_task(_refresh(keys))
    await server.serve()
    refresher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await refresher
    if not server.started:
        sys.exit(1)


async def _refresh(keys: KeyRing) -> None:
    while True:
        await asyncio.sleep(KEYS_REFRESH_S)
        with contextlib.suppress(OSError):  # the files are being replaced; next time
            keys.refresh()


if __name__ == "__main__":
    sys.exit(main())
