"""What doctor sees of a cluster: where one look fails, the others go on."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.doctor.cluster import cluster, memory
from synapse_cli.doctor.nodes import nodes, others, system_pods
from synapse_common.finding import Finding

ENGINE = {"name": "big", "engine": "vllm"}
ON_GPU = {
    "synapse_gpus": [{"vram_gib": 32}],
    "synapse_models": [ENGINE | {"vram_gib": 20, "kv_cache_gib": 4}],
}
LOOKS = ("permission", "nodes", "system_pods", "storage", "others", "on_gpu", "memory", "policies")


def answering(**lists: list[Any]) -> Cluster:
    """A cluster without a network: what each list of the core API holds."""
    made = Cluster.__new__(Cluster)
    made.namespace = "llm-infra"
    made.core = SimpleNamespace()
    made.core.api_client = SimpleNamespace(configuration=SimpleNamespace(host="https://forge:1"))
    for name, items in lists.items():
        setattr(made.core, name, lambda *_, items=items, **__: SimpleNamespace(items=items))
    return made


def node(memory: str | None = "64Gi", **states: str) -> Any:
    """A node with this memory, in these states."""
    conditions = [
        SimpleNamespace(type=name, status=status, message="kubelet stopped posting.")
        for name, status in states.items()
    ]
    allocatable = {"memory": memory} if memory else {}
    status = SimpleNamespace(conditions=conditions, allocatable=allocatable)
    return SimpleNamespace(metadata=SimpleNamespace(name="forge"), status=status)


def pod(name: str, namespace: str = "kube-system", phase: str = "Running", **more: Any) -> Any:
    """A pod; `is_ready` and `gpu` make it so."""
    ready = [SimpleNamespace(type="Ready", status=str(more.get("is_ready", True)))]
    limits = {"nvidia.com/gpu": "1"} if more.get("gpu") else None
    container = SimpleNamespace(resources=SimpleNamespace(limits=limits))
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, namespace=namespace),
        status=SimpleNamespace(phase=phase, conditions=ready),
        spec=SimpleNamespace(containers=[container]),
    )


@pytest.mark.parametrize("has", ["196Gi", "200704Mi", f"{196 * 2**20}Ki", str(196 * 2**30)])
def test_memory_for_everything_is_well(has: str) -> None:
    finding = memory(answering(list_node=[node(has)]), 195.96)
    assert (finding.seen, finding.level) == ("196.0 of 196.0 GiB", "ok")


@pytest.mark.parametrize("parts", [("196Gi",), ("190Gi", "6Gi"), (None, "196Gi")])
def test_too_little_memory_for_the_sleepers_is_told(parts: tuple[str | None, ...]) -> None:
    finding = memory(answering(list_node=[node(part) for part in parts]), 200)
    assert finding.seen == "200.0 of 196.0 GiB"
    assert "may use 200.0 GiB, sleeping models included, but the nodes have 196.0" in finding.remedy
    assert "synapse_memory_gib: 196 into platform.yml" in finding.remedy


@pytest.mark.parametrize(
    ("states", "seen", "remedy"),
    [
        ({"Ready": "True", "DiskPressure": "False"}, "forge is ready", ""),
        ({"Ready": "True", "DiskPressure": "True"}, "forge is ready, DiskPressure", "make room"),
        ({"Ready": "Unknown"}, "forge is not ready", "kubelet stopped posting. `sudo journalctl"),
        ({}, "forge is not ready", "it told nothing"),
    ],
)
def test_a_node_that_starts_no_pods_is_told(states: dict[str, str], seen: str, remedy: str) -> None:
    (finding,) = nodes(answering(list_node=[node(**states)]))
    assert finding.seen == seen
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


def test_system_pods_that_do_not_run_are_named() -> None:
    ended = pod("helm-install", phase="Succeeded", is_ready=False)
    well = system_pods(answering(list_namespaced_pod=[pod("coredns"), ended]))
    assert (well.seen, well.level) == ("2", "ok")
    waiting = pod("svclb-gateway", phase="Pending", is_ready=False)
    sick = system_pods(answering(list_namespaced_pod=[pod("coredns"), waiting]))
    assert (sick.seen, sick.level) == ("1 of 2 not ready", "wrong")
    assert "svclb-gateway (Pending)" in sick.remedy


def test_pods_of_others_are_counted_and_those_with_a_gpu_are_named() -> None:
    there = [pod("coredns"), pod("gateway", "llm-infra"), pod("web", "shop")]
    counted = others(answering(list_pod_for_all_namespaces=there))
    assert (counted.seen, counted.level) == ("1 in shop", "ok")
    there += [pod("trainer", "shop", gpu=True), pod("old", "shop", phase="Failed", gpu=True)]
    taken = others(answering(list_pod_for_all_namespaces=there))
    assert (taken.seen, taken.level) == ("2 in shop", "note")
    assert taken.remedy.startswith("shop/trainer asked for the GPU")


def reached(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster that tells its version."""
    said = SimpleNamespace(git_version="v1.36.3+k3s1")
    monkeypatch.setattr(Cluster, "ask", lambda *_, **__: said)
    return answering()


@pytest.mark.parametrize(
    ("site", "looked_at"),
    [
        (ON_GPU, {"on_gpu", "memory"}),
        (ON_GPU | {"vllm_memory_request_gib": 0.5}, {"on_gpu"}),
        ({"synapse_gpus": []}, set()),
    ],
    ids=["gpu", "gpu-whose-engines-are-promised-less", "no-gpu"],
)
def test_what_only_engines_need_is_looked_at_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch, site: dict[str, Any], looked_at: set[str]
) -> None:
    done: set[str] = set()

    def look(name: str) -> Callable[..., list[Finding]]:
        def noted(*_: Any) -> list[Finding]:
            done.add(name)
            return []

        return noted

    for name in LOOKS:
        monkeypatch.setattr(f"synapse_cli.doctor.cluster.{name}", look(name))
    api = reached(monkeypatch)
    (told,) = [one for one in cluster(lambda: api, site) if one]
    assert told.seen == "v1.36.3+k3s1 at forge"
    assert done - {*LOOKS[:5], "policies"} == looked_at


@pytest.mark.parametrize(("status", "level"), [(403, "note"), (500, "wrong")])
def test_a_look_that_fails_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, status: int, level: str
) -> None:
    def refused(*_: Any) -> Any:
        raise ClusterError("The cluster refused.") from ApiException(status=status)

    for look in LOOKS:
        monkeypatch.setattr(f"synapse_cli.doctor.cluster.{look}", refused)
    api = reached(monkeypatch)
    found = [*cluster(lambda: api, {"synapse_gpus": []})]
    assert [one.level for one in found] == ["ok", *[level] * 6]
    assert {one.remedy for one in found[1:]} == {"The cluster refused."}
