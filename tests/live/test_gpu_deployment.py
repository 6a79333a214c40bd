"""Deploying the GPU's models again and changed: only what the change is about is touched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from synapse_cli.cluster import Cluster

from .conftest import SETTLE_LIMIT_S, TESTBED, bring_in, eventually, settle
from .deploying import catalogue, play, recap, with_catalogue
from .gpu import MODELS, Gpu, ask, served

pytestmark = pytest.mark.timeout(900)
MODELS_OF_THE_GPU = ("--tags", "arbiter,gateway,vllm")


@pytest.fixture(scope="module", autouse=True)
def _catalogue_back_in_force(cluster: Cluster) -> Iterator[None]:
    """Deploy the catalogue as it is once these tests have deployed others, one after another."""
    yield
    run = play()
    assert run.returncode == 0, run.stdout
    settle(Gpu(cluster, TESTBED))


def models(**changes: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The catalogue's models with some entries changed, or left out (None)."""
    found = catalogue("models")
    renamed = {name.replace("_", "-"): change for name, change in changes.items()}
    return [
        model | (renamed.get(model["name"]) or {})
        for model in found
        if renamed.get(model["name"], {}) is not None
    ]


def pods(cluster: Cluster) -> dict[str, str]:
    """Each pod of the GPU's side with its uid: the engines and the arbiter."""
    selector = "app.kubernetes.io/name in (vllm, synapse-arbiter)"
    found = cluster.core.list_namespaced_pod(cluster.namespace, label_selector=selector).items
    return {pod.metadata.name: pod.metadata.uid for pod in found}


def test_deploying_again_restarts_no_engine_and_wakes_nobody(
    http: httpx.Client, gpu: Gpu, cluster: Cluster
) -> None:
    bring_in(http, "assistant", "gpu-chat")
    before = pods(cluster), gpu.wakes(), gpu.awake()
    run = play()
    assert run.returncode == 0, run.stdout
    assert recap(run)["changed"] == 0, run.stdout
    assert (pods(cluster), gpu.wakes(), gpu.awake()) == before
    assert gpu.awake() == ["gpu-chat"]


def test_changed_argument_restarts_that_engine_alone(
    http: httpx.Client, gpu: Gpu, cluster: Cluster, tmp_path: Path
) -> None:
    before = pods(cluster)
    seeded = models(gpu_agent={"engine_args": {"seed": 7}})
    run = play(*MODELS_OF_THE_GPU, "-e", with_catalogue(tmp_path, synapse_models=seeded))
    assert run.returncode == 0, run.stdout
    settle(gpu)
    after = pods(cluster)
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == {"vllm-gpu-agent-0"}
    bring_in(http, "assistant", "gpu-chat")


def test_removed_model_takes_its_objects_and_its_route_with_it(
    operator: httpx.Client, http: httpx.Client, cluster: Cluster, tmp_path: Path
) -> None:
    before = pods(cluster)
    apps = [
        {
            key: [name for name in value if name != "agent"] if isinstance(value, list) else value
            for key, value in app.items()
        }
        for app in catalogue("apps")
    ]
    aliases = [alias for alias in catalogue("aliases") if alias["name"] != "agent"]
    without = {"synapse_models": models(gpu_agent=None), "synapse_aliases": aliases}
    run = play(*MODELS_OF_THE_GPU, "-e", with_catalogue(tmp_path, synapse_apps=apps, **without))
    assert run.returncode == 0, run.stdout
    for kind in ("StatefulSet", "Service"):
        assert f"remove {kind} vllm-gpu-agent" in run.stdout
    eventually(
        lambda: "vllm-gpu-agent-0" not in pods(cluster), SETTLE_LIMIT_S, "the removed pod gone"
    )
    engines = {name: uid for name, uid in pods(cluster).items() if name.startswith("vllm-")}
    assert engines == {name: before[name] for name in ("vllm-gpu-chat-0", "vllm-gpu-code-0")}
    eventually(
        lambda: served(ask(operator, "gpu-agent")) == "404", SETTLE_LIMIT_S, "an unknown model"
    )
    bring_in(http, "coder", "gpu-code")


def test_model_that_cannot_start_is_named_and_keeps_nobody_from_serving(
    http: httpx.Client, cluster: Cluster, tmp_path: Path
) -> None:
    before = pods(cluster)
    broken = models(gpu_agent={"source": "simulated/missing-agent"})
    run = play(*MODELS_OF_THE_GPU, "-e", with_catalogue(tmp_path, synapse_models=broken))
    assert run.returncode != 0
    assert "vllm-gpu-agent" in run.stdout
    assert "Repository Not Found: https://huggingface.co/simulated/missing-agent" in run.stdout
    bring_in(http, "assistant", "gpu-chat")
    bring_in(http, "coder", "gpu-code")
    after = pods(cluster)
    assert all(after[f"vllm-{model}-0"] == before[f"vllm-{model}-0"] for model in MODELS[:2])


def test_site_without_a_gpu_serves_the_same_names_on_the_cpu(
    http: httpx.Client, operator: httpx.Client, cluster: Cluster
) -> None:
    run = play("-e", '{"synapse_gpus": []}')
    assert run.returncode == 0, run.stdout
    eventually(lambda: not pods(cluster), SETTLE_LIMIT_S, "no engine and no arbiter left")
    names = {workload.metadata.name for workload in cluster.workloads()}
    assert names == {
        "gateway", "litellm", "model-fetcher", "ollama", "piper", "speaches", "wyoming",
    }  # fmt: skip
    bring_in(http, "assistant", "tiny-chat")
    bring_in(operator, "gpu-code", "tiny-chat")
    listed = {model["id"] for model in http.get("/v1/models").json()["data"]}
    assert {"assistant", "coder"} <= listed
