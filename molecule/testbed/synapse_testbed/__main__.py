"""The testbed's commands: `python -m synapse_testbed build|create|destroy|test-python`."""

import argparse
import os
import sys

from synapse_testbed import go, host, node, testing
from synapse_testbed.cache import Cache
from synapse_testbed.commands import TestbedError
from synapse_testbed.images import build_all
from synapse_testbed.settings import Settings, from_environment


def build(settings: Settings) -> None:
    """Install what the host lacks and build what the cache lacks."""
    host.prepare(go.host_packages())
    with Cache(settings.cache) as cache:
        build_all(cache)


def create(settings: Settings) -> None:
    """Bring the testbed to a Ready node, whatever state it was left in."""
    host.prepare(go.host_packages())
    node.check_free(settings)
    with Cache(settings.cache) as cache:
        node.create(settings, build_all(cache))


def test_python(settings: Settings) -> None:
    """Run the unit and render tests on Debian 13's Python, too."""
    host.prepare(go.host_packages())
    with Cache(settings.cache) as cache:
        testing.run_again(cache)


COMMANDS = {
    "build": build,
    "create": create,
    "destroy": node.destroy,
    "test-python": test_python,
}


def main() -> int:
    """Run one command; a fault is told in a sentence."""
    parser = argparse.ArgumentParser(prog="synapse_testbed", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    command = COMMANDS[parser.parse_args().command]
    try:
        command(from_environment(os.environ))
    except TestbedError as fault:
        print(f"testbed | {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("testbed | interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
