"""The simulated GPU by hand: `python -m host_lab_gpu state SERVER STATE | serve PORT`."""

import argparse
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

from host_lab.server import Server
from host_lab_gpu import driver, machine
from host_lab_gpu.published import publish
from host_lab_gpu.served import serving
from host_lab_gpu.states import STATES
from synapse_testbed.cache import Cache
from synapse_testbed.commands import TestbedError
from synapse_testbed.settings import from_environment


def main() -> int:
    """Run one command; a fault is told in a sentence."""
    parser = argparse.ArgumentParser(prog="host_lab_gpu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    state = commands.add_parser("state", help="bring a server into a state")
    state.add_argument("server")
    state.add_argument("state", choices=STATES)
    serve = commands.add_parser("serve", help="serve NVIDIA's repositories until interrupted")
    serve.add_argument("port", type=int)
    asked = parser.parse_args()
    try:
        with Cache(from_environment(os.environ).cache) as cache:
            if asked.command == "state":
                bring(cache, Server(asked.server), asked.state)
            else:
                publish_and_serve(cache, asked.port)
    except TestbedError as fault:
        print(f"host_lab_gpu | {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def bring(cache: Cache, server: Server, name: str) -> None:
    """Bring a server into the state of that name."""
    state = STATES[name]
    packages = cache.obtain(driver.packages(state.installed)) if state.installed else None
    machine.prepare(server)
    machine.bring_into(server, state, packages)


def publish_and_serve(cache: Cache, port: int) -> None:
    """Serve all variants of the repositories, and say what role nvidia is to be told."""
    with tempfile.TemporaryDirectory() as folder:
        published = publish(cache, Path(folder) / "published")
        with serving(Path(folder) / "published", port) as address:
            print(json.dumps(published.variables(address), indent=2), flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
