"""The operator's way to the gateway: its pod, whatever addresses there are beside it."""

from __future__ import annotations

import queue
import socket
import threading
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from rich.console import Console

from fake_cluster import cluster, service
from synapse_cli import __main__ as commands
from synapse_cli import address, gateway, keys
from synapse_cli.cluster import Cluster
from synapse_cli.health import PROBES

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
LIMIT_S = 10.0


def pod(name: str, ready: bool = True, phase: str = "Running") -> SimpleNamespace:
    """A pod as the API shows it."""
    conditions = [SimpleNamespace(type="Ready", status=str(ready))]
    metadata = SimpleNamespace(name=name, deletion_timestamp=None)
    return SimpleNamespace(
        metadata=metadata, status=SimpleNamespace(phase=phase, conditions=conditions)
    )


class Pods:
    """The gateway's pods, which answer every connection with "ok" and keep what they were sent."""

    def __init__(self, *there: SimpleNamespace) -> None:
        """Have these."""
        self.there = there
        self.asked: queue.Queue[tuple[str, int, bytes]] = queue.Queue()

    def list(self, *_: Any, label_selector: str, **__: Any) -> SimpleNamespace:
        """All of them, for the gateway's labels."""
        assert label_selector == "app.kubernetes.io/name=gateway"
        return SimpleNamespace(items=list(self.there))

    def dial(self, pod: str, port: int) -> socket.socket:
        """Connect."""
        near, far = socket.socketpair()

        def answer() -> None:
            with far:
                self.asked.put((pod, port, far.recv(65536)))
                far.sendall(ANSWER)

        threading.Thread(target=answer, daemon=True).start()
        return near


def made(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster whose gateway is told under another address and has an Ingress."""
    told = {address.URL: "http://told.example"}
    made = cluster({}, {}, {"gateway": service("NodePort", 8123, 30800, told)}, "ai.example.org")
    made.core.list_namespaced_pod = pods.list
    made.dial = pods.dial  # type: ignore[method-assign]
    monkeypatch.setattr(keys, "read_master_key", lambda _: "sk-m")
    return made


def test_its_pod_is_asked_with_the_operators_key_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("HTTP_PROXY", "ALL_PROXY", "SYNAPSE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    pods = Pods(pod("starts", ready=False), pod("waits", phase="Pending"), pod("serves"))
    with gateway.opened(made(pods, monkeypatch)) as client:
        assert client.get("/operator/usage").text == "ok"
        assert client.get("/health/ready").text == "ok"
    name, port, sent = pods.asked.get(timeout=LIMIT_S)
    assert (name, port) == ("serves", 8000)
    assert sent.startswith(b"GET /operator/usage HTTP/1.1\r\n")
    assert b"authorization: bearer sk-m\r\n" in sent.lower()


def test_a_gateway_that_does_not_run_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway.opened(made(Pods(), monkeypatch)) as client:
        answer = client.get("/operator/usage")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/plain")
    assert answer.text == "No pod of the gateway runs just now.\n"


def test_the_forward_ends_with_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway.opened(made(Pods(pod("serves")), monkeypatch)) as client:
        url = client.base_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_the_health_of_a_gateway_is_asked_at_whatever_port_its_service_has() -> None:
    assert PROBES["gateway"] == ("gateway", "http", "/health/ready")


@pytest.mark.parametrize(
    ("run", "module", "told"),
    [
        (commands.run_app_keys, "app_keys.show", {"people_of": None}),
        (commands.run_health, "look", {"deep": True}),
    ],
    ids=["app-keys", "health"],
)
def test_the_operators_commands_go_that_way(
    run: Any, module: str, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = Pods(pod("serves"))
    there = made(pods, monkeypatch)

    def ask(_: Cluster, client: httpx.Client, *__: Any) -> tuple[()]:
        client.get("/asked")
        return ()

    monkeypatch.setattr(f"synapse_cli.__main__.{module}", ask)
    monkeypatch.setattr(commands, "render", lambda *_: 0)
    monkeypatch.setattr(commands, "Cluster", lambda _: there)
    run(Namespace(namespace="llm-infra", **told), Console(record=True))
    assert pods.asked.get(timeout=LIMIT_S)[0] == "serves"
