"""The board by HTTP.

GET /status shows it, GET /state what is on the volume, POST /look has the fetcher look again now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from synapse_ollama.board import Board
from synapse_ollama.ollama import OllamaError
from synapse_ollama.plan import State

LOOK_LIMIT_S = 20.0
"""Shorter than the API server's proxy waits for an answer."""
READ_LIMIT_S = 30.0


class BoardServer(ThreadingHTTPServer):
    """Answers while the fetcher works."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], board: Board, state: Callable[[], State]) -> None:
        """Listen at this address; `state` reads the volume anew or raises OllamaError."""
        super().__init__(address, _Handler)
        self.board = board
        self.state = state


class _Handler(BaseHTTPRequestHandler):
    server: BoardServer
    timeout = READ_LIMIT_S

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, {})
        elif self.path == "/status":
            self._answer(200, self.server.board.shown())
        elif self.path == "/state":
            self._show_state()
        else:
            self._answer(404, {"error": "there are /health, /status, /state and, by POST, /look"})

    def do_POST(self) -> None:
        if self.path != "/look":
            self._answer(404, {"error": "only /look takes a POST"})
            return
        self.server.board.look_again(LOOK_LIMIT_S)
        self._answer(200, self.server.board.shown())

    def _show_state(self) -> None:
        try:
            self._answer(200, self.server.state().shown())
        except OllamaError as error:
            self._answer(503, {"error": str(error)})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: probes come all the time."""

    def _answer(self, status: int, body: object) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)
