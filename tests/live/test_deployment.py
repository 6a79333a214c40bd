"""Deploying again, checking, changing and breaking the catalogue on the running testbed."""

from pathlib import Path

import httpx
import pytest

from synapse_cli.cluster import Cluster

from .conftest import eventually, gateway_pods
from .deploying import catalogue, play, recap, with_catalogue

OLD_POD_LIMIT_S = 30
MODELS_OF_OLLAMA = ("--tags", "ollama,gateway")


def test_check_mode_changes_nothing_and_does_not_fail() -> None:
    run = play("--check", "--diff")
    assert run.returncode == 0, run.stdout
    assert recap(run)["changed"] == 0, run.stdout


def test_check_mode_works_before_the_namespace_exists(cluster: Cluster) -> None:
    run = play("--check", "--diff", "-e", "synapse_namespace=llm-fresh")
    assert run.returncode == 0, run.stdout
    for change in (
        "Namespace llm-fresh", "Deployment ollama", "Deployment gateway", "tiny-chat",
        "Deployment arbiter", "Secret arbiter-admin-token", "StatefulSet vllm-gpu-chat",
    ):  # fmt: skip
        assert f"would create {change}" in run.stdout
    names = [found.metadata.name for found in cluster.core.list_namespace().items]
    assert "llm-fresh" not in names


@pytest.mark.timeout(600)
def test_model_is_added_and_removed_with_one_entry(operator: httpx.Client, tmp_path: Path) -> None:
    twin = {
        "name": "tiny-twin",
        "engine": "ollama",
        "source": "file:tiny-chat.gguf",
        "context": 512,
    }
    added = with_catalogue(tmp_path, synapse_models=[*catalogue("models"), twin])
    preview = play(*MODELS_OF_OLLAMA, "--check", "--diff", "-e", added)
    assert preview.returncode == 0, preview.stdout
    assert "tiny-twin" in preview.stdout
    body = {
        "model": "tiny-twin",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
    }
    assert operator.post("/v1/chat/completions", json=body).status_code == 404
    assert play(*MODELS_OF_OLLAMA, "-e", added).returncode == 0
    becomes(operator, body, 200)
    assert play(*MODELS_OF_OLLAMA).returncode == 0
    becomes(operator, body, 404)


def becomes(http: httpx.Client, body: dict[str, object], status: int) -> None:
    """A connection that is kept alive stays with the old pod until that stops."""
    eventually(
        lambda: http.post("/v1/chat/completions", json=body).status_code == status,
        OLD_POD_LIMIT_S,
        f"status {status} for {body['model']}",
    )


def test_faulty_catalogue_stops_before_anything_changes(tmp_path: Path) -> None:
    broken = [*catalogue("models"), {"name": "Not A Label", "engine": "olama", "source": "x"}]
    run = play("-e", with_catalogue(tmp_path, synapse_models=broken))
    assert run.returncode != 0
    assert "Not A Label" in run.stdout
    assert "olama" in run.stdout
    assert recap(run)["changed"] == 0


@pytest.mark.timeout(600)
def test_configuration_that_the_gateway_refuses_never_replaces_a_good_one(
    http: httpx.Client, cluster: Cluster, tmp_path: Path
) -> None:
    before = {pod.metadata.uid for pod in gateway_pods(cluster)}
    settings = {"port": 8000, "metrics_port": 9090, "nonsense": True}
    broken = with_catalogue(tmp_path, __gateway_settings=settings)
    run = play("--tags", "gateway", "-e", broken)
    assert run.returncode != 0
    assert "nonsense" in run.stdout
    assert http.get("/v1/models").status_code == 200
    assert before <= {pod.metadata.uid for pod in gateway_pods(cluster)}
    assert play("--tags", "gateway").returncode == 0
    assert {pod.metadata.uid for pod in gateway_pods(cluster)} == before
