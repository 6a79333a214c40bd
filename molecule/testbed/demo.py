"""The demo: five requests through port 8000, each with its curl line and the log line it left.

Addresses and keys are read from the running testbed. Exit status 1 when a scene did not show what
it promises, with a sentence saying which.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from synapse_operator.cluster import Cluster, ClusterError
from synapse_operator.keys import read_app_key

NAMESPACE = "llm-infra"
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
        self, app: str, path: str, body: dict[str, Any], keep_open: bool = False
    ) -> httpx.Response:
        """Show the curl line, send the same request; `keep_open` leaves the body to stream."""
        variable = "KEY_" + app.replace("-", "_").upper()
        console.print(
            f"  [dim]curl{' -N' if keep_open else ''} {self.base_url}{path} "
            f'-H "Authorization: Bearer ${variable}" '
            f"-H 'Content-Type: application/json' -d '{escape(json.dumps(body))}'[/]"
        )
        headers = {"Authorization": f"Bearer {read_app_key(self.cluster, app)}"}
        request = self.client.build_request(
            "POST", self.base_url + path, json=body, headers=headers
        )
        return self.client.send(request, stream=keep_open)

    def show_log(self, answer: httpx.Response) -> dict[str, Any]:
        """Print and return the gateway's log line, which is written just after the answer ended."""
        request_id = answer.headers["x-request-id"]
        deadline = time.monotonic() + LOG_WAIT_S
        while time.monotonic() < deadline:
            for line in self.cluster.log_lines("litellm", tail=200):
                if request_id in line and line.startswith("{"):
                    console.print(f"  [dim]log  {escape(line)}[/]\n")
                    return dict(json.loads(line))
            time.sleep(0.1)
        raise DemoError(
            f"request {request_id} left no line in the gateway's log within {LOG_WAIT_S:.0f} s"
        )


def expect(holds: bool, what: str) -> None:
    """Raise DemoError unless the promise held."""
    if not holds:
        raise DemoError(what)


def chat(demo: Demo) -> None:
    """A chat answer."""
    answer = demo.ask(
        "jarvis-cortex",
        "/v1/chat/completions",
        {
            "model": "chat",
            "messages": [{"role": "user", "content": "Tell me about the server."}],
            "max_tokens": 40,
        },
    )
    expect(answer.status_code == 200, f"the chat answered {answer.status_code}: {answer.text}")
    console.print(
        f"  [green]{escape(answer.json()['choices'][0]['message']['content'].strip())}[/]"
    )
    demo.show_log(answer)


def stream(demo: Demo) -> None:
    """The same, streamed: every piece is shown as it comes."""
    body = {
        "model": "chat",
        "messages": [{"role": "user", "content": "Tell me about the models."}],
        "max_tokens": 40,
        "stream": True,
    }
    answer = demo.ask("jarvis-cortex", "/v1/chat/completions", body, keep_open=True)
    expect(
        answer.status_code == 200,
        f"the stream answered {answer.status_code}: {answer.read().decode()}",
    )
    console.print("  [green]", end="")
    events = []
    for line in answer.iter_lines():
        if line.startswith("data: "):
            events.append(line[6:])
            console.print(f"[green]{escape(piece_of(line[6:]))}[/]", end="")
    console.print(f"  ({len(events) - 1} pieces)")
    expect(events[-1] == "[DONE]", "the stream did not end with [DONE]")
    demo.show_log(answer)


def piece_of(event: str) -> str:
    """The text that one event of a stream brings."""
    if event == "[DONE]":
        return ""
    return "".join(choice["delta"].get("content") or "" for choice in json.loads(event)["choices"])


def embedding(demo: Demo) -> None:
    """Real embeddings: what is alike is near."""
    texts = ["a cat", "a kitten", "a graphics driver"]
    answer = demo.ask("jarvis-cortex", "/v1/embeddings", {"model": "embed", "input": texts})
    expect(answer.status_code == 200, f"the embedding answered {answer.status_code}: {answer.text}")
    cat, kitten, driver = (entry["embedding"] for entry in answer.json()["data"])
    near, far = cosine(cat, kitten), cosine(cat, driver)
    console.print(
        f"  [green]cos(cat, kitten) = {near:.2f}, cos(cat, graphics driver) = {far:.2f}[/]"
    )
    expect(near > far, "a kitten should be nearer to a cat than a graphics driver is")
    demo.show_log(answer)


def refusal(demo: Demo) -> None:
    """An application asks for a model that is not its own."""
    answer = demo.ask(
        "agents",
        "/v1/embeddings",
        {"model": "embed", "input": "agents may only use chat"},
    )
    expect(
        answer.status_code == 404,
        f"the forbidden model answered {answer.status_code}: {answer.text}",
    )
    console.print(f"  [yellow]{answer.status_code} {escape(answer.json()['error']['message'])}[/]")
    demo.show_log(answer)


def fallback(demo: Demo) -> None:
    """A backend is down (nothing listens at its address): its fallback answers."""
    answer = demo.ask(
        "jarvis-cortex",
        "/v1/chat/completions",
        {
            "model": "code",
            "messages": [{"role": "user", "content": "Who answers now?"}],
            "max_tokens": 30,
        },
    )
    expect(answer.status_code == 200, f"the fallback answered {answer.status_code}: {answer.text}")
    backend = answer.headers.get("x-synapse-model", "?")
    console.print(
        f"  [green]{escape(answer.json()['choices'][0]['message']['content'].strip())}[/]"
        f"  (asked code, served by {backend} in {answer.elapsed.total_seconds():.2f} s)"
    )
    expect(
        demo.show_log(answer).get("fallback") is not None,
        "the log line does not tell of the fallback",
    )


def cosine(left: list[float], right: list[float]) -> float:
    """The cosine of the angle between two vectors of the same length."""
    return (
        sum(a * b for a, b in zip(left, right, strict=True))
        / math.hypot(*left)
        / math.hypot(*right)
    )


SCENES: tuple[Callable[[Demo], None], ...] = (chat, stream, embedding, refusal, fallback)

HOW_TO_GO_ON = """\
[bold]It keeps running at {base_url}. Use it from Python:[/]

  from openai import OpenAI
  client = OpenAI(base_url="{base_url}/v1", api_key="<make app-key APP=jarvis-cortex>")
  hello = [{{"role": "user", "content": "Hello"}}]
  print(client.chat.completions.create(model="chat", messages=hello))

[bold]Look around:[/]
  export KUBECONFIG={kubeconfig}
  make app-key APP=jarvis-cortex      the key of one application ($KEY_JARVIS_CORTEX above)
  make test-health                    what runs and how fast it answers
  make demo-down                      take everything away again"""


def main() -> int:
    """Play the scenes in order; stop at the first that disappoints."""
    base_url = f"http://127.0.0.1:{os.environ.get('SYNAPSE_PORT', '8000')}"
    try:
        demo = Demo(base_url, Cluster(NAMESPACE))
        for number, scene in enumerate(SCENES, start=1):
            console.print(f"[bold]{number}. {(scene.__doc__ or '').strip()}[/]")
            scene(demo)
    except (DemoError, ClusterError, httpx.HTTPError) as fault:
        console.print(f"[red]The demo stops here: {escape(str(fault))}[/]")
        return 1
    console.print(
        HOW_TO_GO_ON.format(base_url=base_url, kubeconfig=os.environ.get("KUBECONFIG", ""))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
