"""Starts the speech server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn
from prometheus_client import start_http_server

from synapse_speech import app, config, voices
from synapse_speech.metrics import Metrics


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="synapse_speech", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the server's settings")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104  # a pod's only interface
    options = parser.parse_args()
    try:
        settings = config.load(options.config)
    except config.ConfigError as error:
        print(f"The configuration cannot be used:\n{error}", file=sys.stderr)
        return 1
    metrics = Metrics()
    application = app.make(settings, voices.load(settings), metrics)
    port = settings.settings.metrics_port
    start_http_server(port, addr=options.host, registry=metrics.registry)
    uvicorn.run(
        application,
        host=options.host,
        port=settings.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.settings.drain_timeout_s),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
