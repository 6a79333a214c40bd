"""Does the cluster enforce NetworkPolicies? A connection that one forbids is tried."""

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.doctor.cluster import policies
from synapse_cli.policies import CLOSED, OPEN, PROBE


def in_the_gateways_pod(
    monkeypatch: pytest.MonkeyPatch, phase: str, said: str | Exception
) -> Cluster:
    """A cluster with one pod of the gateway, in which the probe says this."""

    def run(*_: Any) -> str:
        if isinstance(said, Exception):
            raise said
        return said

    pod = SimpleNamespace(
        metadata=SimpleNamespace(name="gateway-1"), status=SimpleNamespace(phase=phase)
    )
    made = Cluster.__new__(Cluster)
    monkeypatch.setattr(Cluster, "pods", lambda *_: [pod])
    monkeypatch.setattr("synapse_cli.policies._run", run)
    return made


@pytest.mark.parametrize(
    ("phase", "said", "seen", "remedy"),
    [
        ("Running", "closed\n", "enforced", ""),
        ("Running", "open\n", "NOT enforced", "--disable-network-policy"),
        ("Pending", "", "tried as soon as the gateway runs", ""),
        ("Running", "python: not found", "not tried", "python: not found"),
        ("Running", ClusterError("refused"), "not tried", "refused"),
    ],
)
def test_a_cluster_that_enforces_no_policies_is_told(
    monkeypatch: pytest.MonkeyPatch, phase: str, said: str | Exception, seen: str, remedy: str
) -> None:
    finding = policies(in_the_gateways_pod(monkeypatch, phase, said))
    assert finding.seen == seen
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


def test_the_probe_tells_an_open_connection_from_a_refused_one() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        assert probed(port) == OPEN
    assert probed(port) == CLOSED


def probed(port: str) -> str:
    """What the probe says where the API server is this port."""
    ended = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return ended.stdout.strip()
