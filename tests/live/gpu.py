"""The testbed's GPU as a test sees it: the arbiter's status, the engines' state, orders."""

import json
import re
from dataclasses import dataclass
from typing import Any

import httpx

from synapse_cli.cluster import Cluster
from synapse_cli.keys import entry, read
from synapse_common.engines import ARBITER_OPERATOR_PORT, VLLM
from synapse_common.secrets import ADMIN_ENTRY, ADMIN_SECRET
from synapse_testbed.podman import podman

MODELS = ("gpu-chat", "gpu-code", "gpu-agent")
ENGINE_PORT = VLLM.port
GIB = 1024**3
# The API server keeps the Authorization header to itself, so an order starts inside the server.
POST = """
import sys, urllib.request
url, body, token = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=20)
"""


@dataclass(frozen=True)
class Gpu:
    """What holds the GPU now, and the few things that tests do to it."""

    cluster: Cluster
    testbed: str

    def status(self) -> dict[str, Any]:
        """The arbiter's status; empty while it does not answer."""
        return self._get(VLLM.service, ARBITER_OPERATOR_PORT, "status")

    def engine(self, model: str) -> dict[str, Any]:
        """What one engine says of itself; empty while it does not answer."""
        return self._get(f"vllm-{model}", ENGINE_PORT, "simulator/state")

    def awake(self) -> list[str]:
        """The models whose engines say that they are awake."""
        states = {model: self.engine(model) for model in MODELS}
        return [name for name, state in states.items() if state.get("is_sleeping") is False]

    def wakes(self) -> dict[str, int]:
        """How often each engine was woken since it started."""
        return {model: self.engine(model)["counters"].get("wakes", 0) for model in MODELS}

    def moves(self, model: str) -> bool:
        """Tell whether an engine is falling asleep or waking up just now."""
        answer = self.cluster.get(f"vllm-{model}", ENGINE_PORT, "metrics")
        gauge = r"^vllm:sleep_mode_operations_in_flight{[^}]*} 1"
        return re.search(gauge, answer.body.decode(), re.MULTILINE) is not None

    def used_gib(self) -> float:
        """The memory in use, as the arbiter reads it through NVML."""
        return float(self.status()["gpu"]["used_bytes"] or 0) / GIB

    def held_gib(self) -> float:
        """The same, added up from what the engines say."""
        return sum(float(self.engine(model)["held_bytes"]) for model in MODELS) / GIB

    def settled(self) -> bool:
        """Tell whether every engine is up and nothing moves."""
        status = self.status()
        if not status or status["phase"] != "ready" or status["gpu"]["activity"]:
            return False
        states = {model["name"]: model["state"] for model in status["models"]}
        return states.keys() == set(MODELS) and set(states.values()) <= {"awake", "asleep"}

    def order(self, path: str) -> None:
        """Give the arbiter an order, such as `reclaim`, with its admin token."""
        token = entry(read(self.cluster, ADMIN_SECRET), ADMIN_ENTRY)
        self._post(VLLM.service, ARBITER_OPERATOR_PORT, f"admin/{path}", "", token)

    def fault(self, model: str, **faults: dict[str, float]) -> None:
        """Switch faults of one engine on."""
        body = json.dumps(faults)
        self._post(f"vllm-{model}", ENGINE_PORT, "simulator/faults", body, "none")

    def _get(self, service: str, port: int, path: str) -> dict[str, Any]:
        answer = self.cluster.get(service, port, path)
        return dict(json.loads(answer.body)) if answer.status == 200 else {}

    def _post(self, service: str, port: int, path: str, body: str, token: str) -> None:
        found = self.cluster.core.read_namespaced_service(service, self.cluster.namespace)
        url = f"http://{found.spec.cluster_ip}:{port}/{path}"
        podman("exec", self.testbed, "python3", "-c", POST, url, body, token)


def ask(http: httpx.Client, name: str, **more: Any) -> httpx.Response:
    """Send one chat request; an answer takes the simulated engines about half a second."""
    messages = [{"role": "user", "content": "Which model are you?"}]
    return http.post("/v1/chat/completions", json={"model": name, "messages": messages} | more)


def served(answer: httpx.Response) -> str:
    """The model that answered, or the status of a refusal."""
    if answer.status_code != httpx.codes.OK:
        return str(answer.status_code)
    assert answer.json()["choices"][0]["finish_reason"] in {"stop", "length"}
    return str(answer.headers["x-synapse-model"])
