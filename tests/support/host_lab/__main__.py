"""Bare servers to try roles on: `python -m host_lab create|destroy NAME`."""

import argparse
import os
import sys

from host_lab import lab
from synapse_testbed import host
from synapse_testbed.commands import TestbedError


def main() -> int:
    """Run one command; a fault is told in a sentence."""
    parser = argparse.ArgumentParser(prog="host_lab", description=__doc__)
    parser.add_argument("command", choices=["create", "destroy"])
    parser.add_argument("name", nargs="?", default=os.environ.get("SYNAPSE_HOST") or "host")
    parser.add_argument("--releases", action="store_true", help="beside one that has K3s' release")
    asked = parser.parse_args()
    try:
        if asked.command == "destroy":
            lab.destroy(asked.name)
        elif asked.releases:
            host.prepare(("openssh-client", "zstd"))
            lab.create_with_releases(asked.name)
        else:
            lab.create(asked.name)
    except TestbedError as fault:
        print(f"host_lab | {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
