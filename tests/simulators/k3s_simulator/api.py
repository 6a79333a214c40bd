"""The few questions to the API server that K3s' own controllers ask."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

from k3s_simulator.config import Config

LIMIT_S = 30


class Api:
    """The server's own API, as its administrator."""

    def __init__(self, config: Config) -> None:
        """Use the administrator's certificate."""
        tls = config.data / "server/tls"
        self._port = config.port
        self._trust = ssl.create_default_context(cafile=str(tls / "server-ca.crt"))
        self._trust.load_cert_chain(tls / "client-admin.crt", tls / "client-admin.key")

    def ask(self, method: str, path: str, body: Any = None, kind: str = "json") -> Any:
        """Ask one thing and return the answer; an answer that refuses raises OSError."""
        with self._answer(method, path, body, kind) as answer:
            text = answer.read()
            if answer.status >= 400:
                raise OSError(f"{method} {path}: {text.decode(errors='replace')}")
            return json.loads(text) if text.startswith(b"{") else text.decode()

    def merge(self, path: str, change: Any) -> None:
        """Change some fields of an object."""
        self.ask("PATCH", path, change, "merge-patch+json")

    def watch(self, path: str) -> Iterator[Any]:
        """Yield every object as it is and as it changes, until the connection ends."""
        with self._answer("GET", f"{path}?watch=true&timeoutSeconds=300", limit_s=330) as answer:
            for line in answer:
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]

    def _answer(
        self, method: str, path: str, body: Any = None, kind: str = "json", limit_s: float = LIMIT_S
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self._port, timeout=limit_s, context=self._trust
        )
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": f"application/{kind}"})
        return connection.getresponse()
