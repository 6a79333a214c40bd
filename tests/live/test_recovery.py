"""Pods that die under load and a server that restarts: what was in flight ends, no more."""

import concurrent.futures
import threading

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_testbed.podman import podman

from .conftest import TESTBED, bring_in, eventually, settle
from .gpu import MODELS, Gpu

CLIENTS = 4
REQUESTS = 120
REQUEST_LIMIT_S = 60.0
READY_LIMIT_S = 120.0
HELLO = {"messages": [{"role": "user", "content": "Tell me about the server."}], "max_tokens": 30}

# How a request may end when the pod it ran in is killed: never with silence.
ENDED_IN_AN_ERROR = (httpx.RemoteProtocolError, httpx.ConnectError, httpx.ReadError)


def ask(http: httpx.Client, model: str) -> int:
    """One chat request: its status, or 0 when the connection itself ended."""
    try:
        answer = http.post(
            "/v1/chat/completions", json={"model": model, **HELLO}, timeout=REQUEST_LIMIT_S
        )
    except ENDED_IN_AN_ERROR:
        return 0
    if answer.status_code == httpx.codes.OK:
        assert answer.json()["choices"][0]["finish_reason"] in {"stop", "length"}
    else:
        assert set(answer.json()) == {"error"}
    return answer.status_code


@pytest.mark.parametrize("component", ["ollama", "gateway"])
def test_killed_pod_loses_only_what_was_in_flight(
    http: httpx.Client, cluster: Cluster, component: str
) -> None:
    killed = threading.Event()

    def one(number: int) -> int:
        if number == REQUESTS // 4:
            victim, *_ = cluster.pods(f"app.kubernetes.io/name={component}")
            kill = cluster.core.delete_namespaced_pod
            kill(victim.metadata.name, cluster.namespace, grace_period_seconds=0)
            killed.set()
        return ask(http, "tiny-chat")

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        before_and_during = list(pool.map(one, range(REQUESTS)))
    assert killed.is_set()
    assert before_and_during[: REQUESTS // 4 - CLIENTS] == [200] * (REQUESTS // 4 - CLIENTS)
    eventually(
        lambda: ask(http, "tiny-chat") == 200,
        READY_LIMIT_S,
        f"an answer after {component} was killed",
    )
    assert [ask(http, "tiny-chat") for _ in range(5)] == [200] * 5


@pytest.mark.timeout(600)
def test_restarted_server_answers_before_its_engines_and_they_start_in_turn(
    http: httpx.Client, gpu: Gpu
) -> None:
    # A connection that the test before left behind may lead to a pod that it killed.
    eventually(lambda: ask(http, "chat") == 200, 60, what="an answer before the server restarts")
    podman("restart", "--time", "20", TESTBED)
    # The CPU answers, or an engine that is up already: it depends on the machine who starts first.
    eventually(
        lambda: ask(http, "assistant") == 200, 240, what="an answer after the server restarted"
    )
    assert http.post("/v1/embeddings", json={"model": "embed", "input": "x"}).status_code == 200
    settle(gpu)
    assert [gpu.engine(model)["counters"]["boots"] for model in MODELS] == [1, 1, 1]
    assert len(gpu.awake()) <= 1
    for name, model in (("assistant", "gpu-chat"), ("coder", "gpu-code")):
        bring_in(http, name, model)
