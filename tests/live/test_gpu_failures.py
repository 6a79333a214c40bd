"""What dies on the GPU's side: everybody gets an answer or an error, and it comes back."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from synapse_cli.cluster import Cluster
from synapse_testbed.podman import podman

from .conftest import SETTLE_LIMIT_S, TESTBED, bring_in, eventually, settle
from .gpu import MODELS, Gpu, ask, served

CLIENTS, REQUESTS = 4, 40
BROKEN = (httpx.RemoteProtocolError, httpx.ConnectError, httpx.ReadError)
KILL = "kill -9 $(pgrep -f '[p]ython -m synapse_arbiter')"


@pytest.fixture(autouse=True)
def on_the_gpu(gpu: Gpu, http: httpx.Client) -> Iterator[None]:
    """Begin with gpu-chat on the GPU, end with all engines up."""
    bring_in(http, "assistant", "gpu-chat")
    yield
    settle(gpu)


def pod_uid(cluster: Cluster, model: str) -> str:
    """Which pod is the model's now; empty while there is none."""
    pods = cluster.core.list_namespaced_pod(
        cluster.namespace, field_selector=f"metadata.name=vllm-{model}-0"
    ).items
    return "".join(str(pod.metadata.uid) for pod in pods)


def kill_arbiter(cluster: Cluster) -> None:
    """End the process now: deleting its pod takes until the switch is over, and is only done so
    that Kubernetes does not wait longer before each further start."""
    podman("exec", TESTBED, "sh", "-c", KILL)
    cluster.core.delete_collection_namespaced_pod(
        cluster.namespace,
        label_selector="app.kubernetes.io/name=synapse-arbiter",
        grace_period_seconds=0,
    )
    eventually(lambda: not Gpu(cluster, TESTBED).status(), 30, "the arbiter gone")


def end_of_stream(http: httpx.Client) -> str:
    """How one streamed answer ended: done, an explicit error, or a refusal."""
    body = {
        "model": "assistant",
        "messages": [{"role": "user", "content": "Count."}],
        "stream": True,
    }
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        if answer.status_code != httpx.codes.OK:
            assert set(json.loads(answer.read())) == {"error"}
            return "refused"
        events = [line[6:] for line in answer.iter_lines() if line.startswith("data: ")]
    if events[-1] == "[DONE]":
        reasons = [choice["finish_reason"] for choice in json.loads(events[-2])["choices"]]
        assert not reasons or reasons[-1] in {"stop", "length"}
        return "done"
    assert "error" in json.loads(events[-1])
    return "error"


def test_engine_killed_under_load_ends_nothing_silently_and_comes_back(
    http: httpx.Client, cluster: Cluster
) -> None:
    before = pod_uid(cluster, "gpu-chat")

    def one(number: int) -> str:
        if number == REQUESTS // 4:
            cluster.core.delete_namespaced_pod(
                "vllm-gpu-chat-0", cluster.namespace, grace_period_seconds=0
            )
        if number % 2:
            return end_of_stream(http)
        return served(ask(http, "assistant"))

    with ThreadPoolExecutor(CLIENTS) as pool:
        ends = Counter(pool.map(one, range(REQUESTS)))
    assert sum(ends.values()) == REQUESTS
    assert ends.keys() <= {"gpu-chat", "tiny-chat", "done", "error", "refused", "502"}, ends
    bring_in(http, "assistant", "gpu-chat")
    assert pod_uid(cluster, "gpu-chat") not in {"", before}


def test_arbiter_killed_in_the_middle_of_a_switch_leaves_one_model_awake(
    http: httpx.Client, gpu: Gpu, cluster: Cluster
) -> None:
    wakes = gpu.wakes()["gpu-code"]
    # The engine goes on waking up, and is done before the next arbiter looks.
    gpu.fault("gpu-code", wake_slow={"seconds": 0.5, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, http, "coder", max_tokens=400, ignore_eos=True)
        eventually(lambda: gpu.moves("gpu-code"), 30, "gpu-code waking up")
        kill_arbiter(cluster)
        assert served(answer.result()) == "tiny-chat"
    settle(gpu)
    assert gpu.awake() == ["gpu-code"]
    assert gpu.status()["gpu"]["resident"] == "gpu-code"
    bring_in(http, "coder", "gpu-code")
    assert gpu.wakes()["gpu-code"] == wakes + 1


def test_restarted_arbiter_knows_who_is_awake_and_wakes_nobody(gpu: Gpu, cluster: Cluster) -> None:
    before = gpu.wakes()
    kill_arbiter(cluster)
    settle(gpu)
    assert gpu.awake() == ["gpu-chat"]
    assert gpu.wakes() == before
    assert {model["name"] for model in gpu.status()["models"]} == set(MODELS)


def test_engine_that_dies_while_it_is_asked_is_replaced_by_itself(
    http: httpx.Client, gpu: Gpu
) -> None:
    gpu.fault("gpu-chat", dead={})
    assert served(ask(http, "assistant")) == "tiny-chat"
    eventually(
        lambda: served(ask(http, "assistant")) == "gpu-chat", SETTLE_LIMIT_S, "gpu-chat again"
    )
