"""Runs a healthy stub until it is stopped: `python -m openai_stub PORT`."""

from __future__ import annotations

import signal
import sys

from openai_stub import OpenAIStub


def main() -> None:
    """Serve on the port until SIGTERM."""
    stub = OpenAIStub(int(sys.argv[1]))
    stub.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
