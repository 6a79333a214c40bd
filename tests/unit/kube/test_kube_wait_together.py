"""Several workloads that become ready in turn, or never: who is waited for, and what is said."""

import pytest

from synapse_deploy.kube.wait import RolloutError
from tests.unit.kube.cluster import FakeCluster
from tests.unit.kube.rollouts import (
    Clock,
    Object,
    pod,
    wait,
    workload,
)

LABEL = "controller-revision-hash"


def engine(name: str, *, ready: int = 0) -> Object:
    return workload("StatefulSet", name, ready=ready, updateRevision="new")


def booting(name: str) -> Object:
    return pod(name, LABEL, "new", running={"startedAt": "now"})


def refused(name: str) -> Object:
    return pod(name, LABEL, "new")


def test_others_are_waited_for_when_one_is_hopeless(clock: Clock) -> None:
    good, bad = engine("good"), engine("bad")
    cluster = FakeCluster(bad, refused("bad"), good, booting("good"))
    clock.at(120, lambda: cluster.put(engine("good", ready=1)))
    said: list[str] = []
    with pytest.raises(RolloutError) as caught:
        wait(cluster, bad, good, said=said)
    assert clock.now_s == 120
    assert str(caught.value).count("StatefulSet bad cannot become ready.") == 1
    assert "good" not in str(caught.value)
    assert said[0] == "StatefulSet bad cannot become ready. Waiting goes on for the others."


def test_every_workload_that_failed_is_named_and_explained(clock: Clock) -> None:
    broken, slow = ("broken", "also-broken"), ("slow", "also-slow")
    engines = [engine(name) for name in (*broken, *slow)]
    pods = [*map(refused, broken), *map(booting, slow)]
    with pytest.raises(RolloutError) as caught:
        wait(FakeCluster(*engines, *pods), *engines)
    text = str(caught.value)
    for name in broken:
        assert f"StatefulSet {name} cannot become ready.\npod {name}-new-0, container main" in text
    late = "was not ready within 300 s (kube_objects_wait_s)."
    for name in slow:
        assert f"StatefulSet {name} {late}\npod {name}-new-0, container main: runs" in text


def test_one_limit_holds_for_all_together(clock: Clock) -> None:
    engines = [engine("first"), engine("second")]
    cluster = FakeCluster(*engines)
    clock.at(200, lambda: cluster.put(engine("first", ready=1)))
    with pytest.raises(RolloutError, match="StatefulSet second was not ready"):
        wait(cluster, *engines)
    assert clock.now_s == pytest.approx(300, abs=2)


def test_one_line_says_who_is_waited_for_and_how_many_pods_are_to_go(clock: Clock) -> None:
    engines = [engine("first"), engine("second")]
    cluster = FakeCluster(*engines)
    clock.at(15, lambda: cluster.put(engine("first", ready=1)))
    clock.at(25, lambda: cluster.put(engine("second", ready=1)))
    assert wait(cluster, *engines) == [
        "waiting for StatefulSet first (1 pod(s) to go), StatefulSet second (1 pod(s) to go)",
        "waiting for StatefulSet second (1 pod(s) to go)",
    ]
    assert clock.now_s == 25


def test_what_a_pod_said_last_is_shown_when_it_is_new(clock: Clock) -> None:
    chat, agent = engine("chat"), engine("agent")
    cluster = FakeCluster(chat, booting("chat"), agent, booting("agent"))
    cluster.logs = {"chat-new-0": "started\ndownloading", "agent-new-0": "waiting for the GPU\n"}
    clock.at(25, lambda: cluster.logs.update({"chat-new-0": "downloading\nloading weights\n\n"}))
    clock.at(35, lambda: cluster.put(engine("chat", ready=1), engine("agent", ready=1)))
    spoken = [line for line in wait(cluster, chat, agent) if not line.startswith("waiting")]
    assert spoken == [
        "  chat-new-0: downloading",
        "  agent-new-0: waiting for the GPU",
        "  chat-new-0: loading weights",
    ]


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("model.safetensors: 10%\rmodel.safetensors: 20%\r", "model.safetensors: 20%"),
        ("\x1b[32mINFO\x1b[0m ready\n", "INFO ready"),
        ("x" * 5000, "x" * 160),
    ],
    ids=["progress-bar", "colours", "long"],
)
def test_what_a_pod_said_is_made_fit_for_a_line(log: str, shown: str, clock: Clock) -> None:
    chat = engine("chat")
    cluster = FakeCluster(chat, booting("chat"))
    cluster.logs = {"chat-new-0": log}
    clock.at(15, lambda: cluster.put(engine("chat", ready=1)))
    assert wait(cluster, chat)[1:] == [f"  chat-new-0: {shown}"]


def test_nothing_to_wait_for_is_done_at_once(clock: Clock) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    assert wait(FakeCluster(), settings) == []
    assert clock.now_s == 0
