"""What leaves the house: only for who may, told in the answer and the log, and counted."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from kubernetes.stream import stream

from synapse_cli.cluster import Cluster

from .conftest import NAMESPACE, eventually, gateway_pods, log_line

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 10}
CHAT = "/v1/chat/completions"
FILE = "/var/lib/synapse/usage.sqlite"
COUNTED = f"""
import sqlite3
print(sqlite3.connect("file:{FILE}?mode=ro", uri=True).execute(
    "SELECT count(*) FROM last_use WHERE app IN ('diary', 'jarvis-cortex')").fetchone()[0])
"""


@pytest.fixture
def diary(base_url: str, keys: dict[str, str]) -> Iterator[httpx.Client]:
    """The application whose requests stay."""
    headers = {"Authorization": f"Bearer {keys['diary']}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize("model", ["cloud-chat", "code"])
def test_who_may_not_leave_is_refused_by_name(diary: httpx.Client, model: str) -> None:
    answer = diary.post(CHAT, json={"model": model, **HELLO})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "may_not_leave")
    spoken = diary.post("/v1/audio/speech", json={"model": "cloud-speaker", "input": "hello"})
    assert spoken.status_code == 403


def test_who_may_not_leave_sees_nothing_outside(diary: httpx.Client, http: httpx.Client) -> None:
    listed = {
        name: {model["id"] for model in client.get("/v1/models").json()["data"]}
        for name, client in (("diary", diary), ("http", http))
    }
    assert not {"cloud-chat", "code", "cloud-speaker"} & listed["diary"]
    assert {"chat", "tiny-chat"} <= listed["diary"]
    assert "code" in listed["http"]


def test_what_tried_to_leave_is_told(
    http: httpx.Client, diary: httpx.Client, cluster: Cluster
) -> None:
    left = http.post(CHAT, json={"model": "code", **HELLO})
    assert (left.status_code, left.headers["x-synapse-outside"]) == (200, "true")
    assert log_line(cluster, left.headers["x-request-id"])["outside"] is True
    stayed = diary.post(CHAT, json={"model": "tiny-chat", **HELLO})
    assert stayed.status_code == 200
    assert "x-synapse-outside" not in stayed.headers
    assert log_line(cluster, stayed.headers["x-request-id"])["outside"] is False


def test_what_was_used_outlives_the_pod(
    http: httpx.Client, diary: httpx.Client, cluster: Cluster
) -> None:
    for client in (http, diary):
        assert client.get("/v1/models").status_code == 200
    (pod,) = gateway_pods(cluster)
    eventually(lambda: counted(cluster, pod) == 2, 10, "both applications on the volume")
    cluster.core.delete_namespaced_pod(pod.metadata.name, NAMESPACE)

    def replaced() -> Any:
        names = {pod.metadata.name}
        return [
            one for one in gateway_pods(cluster) if is_ready(one) and one.metadata.name not in names
        ]

    (another,) = eventually(replaced, 120, "another pod of the gateway")
    assert counted(cluster, another) == 2


def is_ready(pod: Any) -> bool:
    """Say whether a pod serves."""
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or ())


def counted(cluster: Cluster, pod: Any) -> int:
    """Return how many of the two applications a pod's file knows."""
    told = stream(
        cluster.own_core().connect_get_namespaced_pod_exec,
        pod.metadata.name,
        NAMESPACE,
        command=["python", "-c", COUNTED],
        stdout=True,
        stderr=True,
    )
    return int(told)
