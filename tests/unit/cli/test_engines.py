"""Each engine that runs is asked for its version; one that does not answer keeps nobody waiting."""

import socket
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.engines import versions

LIMIT_S = 10.0
SAID: dict[str, bytes | None] = {
    "vllm-big-0": b'{"version": "0.32.0"}',
    "vllm-html-0": b"<html>",
    "vllm-list-0": b"[]",
    "vllm-other-0": b"{}",
    "vllm-starts-0": None,
}


def dial(_: Cluster, pod: str, port: int) -> socket.socket:
    """Connect to an engine that says this, once it was asked."""
    body = SAID[pod]
    if body is None:
        raise ClusterError("nobody listens")
    assert port == 8000
    near, far = socket.socketpair()
    far.settimeout(LIMIT_S)
    threading.Thread(target=answer, args=(far, body), daemon=True).start()
    return near


def answer(far: socket.socket, body: bytes) -> None:
    with far:
        assert far.recv(65536).startswith(b"GET /version HTTP/1.1")
        far.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_every_engine_that_answers_tells_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def pods(_: Cluster, selector: str) -> list[Any]:
        assert selector == "app.kubernetes.io/name=vllm"
        return [SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in reversed(SAID)]

    monkeypatch.setattr(Cluster, "running_pods", pods)
    monkeypatch.setattr(Cluster, "dial", dial)
    found = versions(Cluster.__new__(Cluster))
    assert list(found) == sorted(SAID)
    assert {pod: version for pod, version in found.items() if version} == {"vllm-big-0": "0.32.0"}
