"""Runs the fetcher and shows how far it is, until it is ended."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from synapse_ollama.board import Board
from synapse_ollama.fetcher import Fetcher, Wanted
from synapse_ollama.ollama import Ollama
from synapse_ollama.server import BoardServer

ANYWHERE = "0.0.0.0"  # noqa: S104  # the pod's own address; a NetworkPolicy says who comes in


def main() -> None:
    """Run the command line; it never returns."""
    parser = argparse.ArgumentParser(prog="synapse_ollama", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the models, as JSON")
    parser.add_argument("--ollama", required=True, help="its address")
    parser.add_argument("--data", type=Path, required=True, help="Ollama's volume")
    parser.add_argument("--files", type=Path, required=True, help="the node's GGUF files")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    # The first process of a container ignores signals that it has no handler for. Ollama ends a
    # pull whose client is gone, and the next one goes on from there.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ollama = Ollama(options.ollama, options.data, options.files)
    wanted = Wanted.read(json.loads(options.config.read_text()))
    board = Board(ollama.rate_bytes_s())
    server = BoardServer((ANYWHERE, options.port), board, ollama.state)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fetcher = Fetcher(ollama, wanted, board, _say)
    while True:
        board.wait(fetcher.once())


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
