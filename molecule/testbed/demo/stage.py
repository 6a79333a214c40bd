"""What every scene needs: the address, the cluster that holds the log, a client, the screen."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from synapse_cli.cluster import Cluster
from synapse_cli.keys import read_app_key

LOG_WAIT_S = 10.0
REQUEST_TIMEOUT_S = 60.0

console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """A scene did not show what it promises."""


@dataclass
class Demo:
    """What every scene needs: the address, the cluster that holds the log, and a client."""

    base_url: str
    cluster: Cluster
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=REQUEST_TIMEOUT_S))

    def ask(
        self,
        app: str,
        path: str,
        body: dict[str, Any],
        keep_open: bool = False,
        key_header: str = "Authorization: Bearer ",
    ) -> httpx.Response:
        """Show the curl line, send the same request; `keep_open` leaves the body to stream.

        `key_header` is what stands before the key.
        """
        variable = "KEY_" + app.replace("-", "_").upper()
        console.print(
            f"  [dim]curl{' -N' if keep_open else ''} {self.base_url}{path} "
            f'-H "{key_header}${variable}" '
            f"-H 'Content-Type: application/json' -d '{escape(json.dumps(body))}'[/]"
        )
        name, _, before = key_header.partition(": ")
        headers = {name: before + read_app_key(self.cluster, app)}
        request = self.client.build_request(
            "POST", self.base_url + path, json=body, headers=headers
        )
        return self.client.send(request, stream=keep_open)

    def send(self, app: str, model: str, body: dict[str, Any]) -> httpx.Response:
        """Send a chat request without showing it."""
        headers = {"Authorization": f"Bearer {read_app_key(self.cluster, app)}"}
        url = f"{self.base_url}/v1/chat/completions"
        return self.client.post(url, json={"model": model, **body}, headers=headers)

    def show_log(self, answer: httpx.Response) -> dict[str, Any]:
        """Print and return the gateway's log line."""
        line = self.log_line(answer)
        console.print(f"  [dim]log  {escape(json.dumps(line, separators=(',', ':')))}[/]\n")
        return line

    def log_line(self, answer: httpx.Response) -> dict[str, Any]:
        """Return the gateway's log line, which is written just after the answer ended."""
        request_id = answer.headers["x-request-id"]
        deadline = time.monotonic() + LOG_WAIT_S
        while time.monotonic() < deadline:
            for line in self.cluster.log_lines("gateway", tail=200):
                if request_id in line and line.startswith("{"):
                    told = dict(json.loads(line))
                    if told["event"] == "request":  # and not that it takes long, for example
                        return told
            time.sleep(0.1)
        raise DemoError(
            f"request {request_id} left no line in the gateway's log within {LOG_WAIT_S:.0f} s"
        )


def expect(holds: bool, what: str) -> None:
    """Raise DemoError unless the promise held."""
    if not holds:
        raise DemoError(what)
