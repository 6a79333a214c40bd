"""What LiteLLM's pod does at its start: each route once, without a key, as soon as it listens."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from free_ports import free_ports
from synapse_litellm import warm_up

LIMIT_S = 10


class Refusing(BaseHTTPRequestHandler):
    """Refuses, and remembers what came."""

    came: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        self.came.append((self.path, self.headers["authorization"]))
        self.send_response(401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


def test_every_route_is_asked_once_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr(sys, "argv", ["litellm", "--port", str(port)])
    monkeypatch.setattr(warm_up, "PAUSE_S", 0.01)
    asking = Thread(target=warm_up._ask_routes)
    asking.start()
    Refusing.came = []
    with HTTPServer(("127.0.0.1", port), Refusing) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        asking.join(LIMIT_S)
        server.shutdown()
        serving.join(LIMIT_S)
    assert Refusing.came == [(path, None) for path in warm_up.ROUTES]


def test_it_gives_up_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr(sys, "argv", ["litellm", "--port", str(port)])
    monkeypatch.setattr(warm_up, "WITHIN_S", 0.05)
    monkeypatch.setattr(warm_up, "PAUSE_S", 0.01)
    asking = Thread(target=warm_up._ask_routes, daemon=True)
    asking.start()
    asking.join(LIMIT_S)
    assert not asking.is_alive()
