"""The doctor's report: one line each, then what to do."""

import io
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.doctor import (
    Finding,
    cluster,
    doctor,
    memory,
    policies,
    report,
    running,
    shares,
    tools,
)
from synapse_cli.policies import CLOSED, OPEN, PROBE
from synapse_cli.site import SiteError, engines_on_gpu, read_site


def no_gpu() -> dict[str, Any]:
    """The variables of a site without a GPU."""
    return {"synapse_gpus": []}


def printed(findings: list[Finding]) -> tuple[int, str]:
    """The exit status and the text of a report."""
    console = Console(file=io.StringIO(), width=200)
    status = report(findings, console)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


def test_all_well_names_the_next_command() -> None:
    status, text = printed([Finding("python", "3.11.7")])
    assert status == 0
    assert "make deploy" in text


def test_everything_missing_is_told_at_once_with_its_remedy() -> None:
    status, text = printed(
        [
            Finding("ansible-core", "missing", "Run make setup."),
            Finding("kubernetes", "gone", "Start it."),
        ]
    )
    assert status == 1
    assert "ansible-core: Run make setup." in text
    assert "kubernetes: Start it." in text


def test_programs_that_only_the_documents_use_are_optional(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "git").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {finding.what: finding for finding in tools()}
    assert found["git"] == Finding("git", f"{tmp_path}/git")
    assert found["kubectl"].seen.startswith("not found; optional: ")
    assert found["kubectl"].remedy == ""


def test_cluster_that_is_not_there_is_a_finding_and_no_traceback() -> None:
    def connect() -> Cluster:
        raise ClusterError(
            "No usable kubeconfig (none). Set KUBECONFIG to the server's kubeconfig file."
        )

    console = Console(file=io.StringIO(), width=200)
    assert doctor(connect, no_gpu, console) == 1
    assert isinstance(console.file, io.StringIO)
    assert "kubernetes: No usable kubeconfig" in console.file.getvalue()


def test_missing_kubeconfig_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", f"{tmp_path}/none"
    )
    with pytest.raises(ClusterError, match="Set KUBECONFIG"):
        Cluster("llm-infra")


ENGINE, SMALL = {"name": "big", "engine": "vllm"}, {"name": "small", "engine": "ollama"}


def nodes(*allocatable: dict[str, str]) -> Cluster:
    """A cluster without a network, whose nodes offer this."""
    made = Cluster.__new__(Cluster)
    items = [SimpleNamespace(status=SimpleNamespace(allocatable=one)) for one in allocatable]
    made.core = SimpleNamespace(list_node=lambda **_: SimpleNamespace(items=items))
    return made


@pytest.mark.parametrize("offered", ["3", "8"])
def test_a_gpu_offered_often_enough_is_well(offered: str) -> None:
    finding = shares(nodes({"cpu": "8", "nvidia.com/gpu": offered}), 3)
    assert (finding.seen, finding.remedy) == (f"{offered} for 3 models", "")


def test_a_gpu_offered_too_seldom_is_told_with_the_number_to_set() -> None:
    finding = shares(nodes({"nvidia.com/gpu": "1"}, {"cpu": "8"}), 3)
    assert finding.seen == "1 for 3 models"
    assert "3 models of engine vllm, but the device plugin offers only 1 of" in finding.remedy
    assert "sharing.timeSlicing to 3 or more" in finding.remedy


@pytest.mark.parametrize("allocatable", [{"cpu": "8"}, {"nvidia.com/gpu": "0"}, None])
def test_a_gpu_that_nobody_offers_is_told_with_both_ways_out(allocatable: Any) -> None:
    remedy = shares(nodes(allocatable), 3).remedy
    assert "No node offers nvidia.com/gpu" in remedy
    assert "take synapse_gpus out of platform.yml" in remedy


@pytest.mark.parametrize("has", ["196Gi", "200704Mi", f"{196 * 2**20}Ki", str(196 * 2**30)])
def test_memory_for_everything_is_well(has: str) -> None:
    finding = memory(nodes({"memory": has}), 195.96)
    assert finding == Finding("memory", "196.0 of 196.0 GiB")


@pytest.mark.parametrize("parts", [("196Gi",), ("190Gi", "6Gi"), (None, "196Gi")])
def test_too_little_memory_for_the_sleepers_is_told(parts: tuple[str | None, ...]) -> None:
    finding = memory(nodes(*({"memory": part} if part else {} for part in parts)), 200)
    assert finding.seen == "200.0 of 196.0 GiB"
    assert "may use 200.0 GiB, sleeping models included, but the nodes have 196.0" in finding.remedy
    assert "synapse_memory_gib: 196 into platform.yml" in finding.remedy


@pytest.mark.parametrize(
    ("version", "seen", "remedy"),
    [
        ("0.32.0", "0.32.0", ""),
        ("0.1.dev19754+g3a0914114", "0.1.dev19754+g3a0914114", ""),
        ("", "does not answer yet", ""),
        ("0.31.1", "0.31.1", "vLLM 0.31.1, and Synapse needs 0.32 at least"),
    ],
)
def test_an_engine_that_is_too_old_is_told(
    monkeypatch: pytest.MonkeyPatch, version: str, seen: str, remedy: str
) -> None:
    monkeypatch.setattr("synapse_cli.doctor.versions", lambda _: {"vllm-big-0": version})
    (finding,) = running(Cluster.__new__(Cluster))
    assert (finding.what, finding.seen) == ("vllm-big-0", seen)
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


ON_GPU = {
    "synapse_gpus": [{"vram_gib": 32}],
    "synapse_models": [ENGINE | {"vram_gib": 20, "kv_cache_gib": 4}],
}


@pytest.mark.parametrize(
    ("site", "looked_at"),
    [
        (ON_GPU, ["gpu shares", "vllm-big-0", "memory"]),
        (ON_GPU | {"vllm_memory_request_gib": 0.5}, ["gpu shares", "vllm-big-0"]),
        ({"synapse_gpus": []}, []),
    ],
    ids=["gpu", "gpu-whose-engines-are-promised-less", "no-gpu"],
)
def test_what_only_engines_need_is_looked_at_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch, site: dict[str, Any], looked_at: list[str]
) -> None:
    one = SimpleNamespace(
        metadata=SimpleNamespace(name="local-path"),
        status=SimpleNamespace(allocatable={"memory": "64Gi", "nvidia.com/gpu": "4"}, allowed=True),
    )
    made = nodes()
    made.core.api_client = SimpleNamespace(configuration=SimpleNamespace(host="https://forge:1"))
    said = SimpleNamespace(git_version="v1.37.1", items=[one], status=one.status)
    made.namespace = "llm-infra"
    monkeypatch.setattr(Cluster, "ask", lambda *_, **__: said)
    monkeypatch.setattr("synapse_cli.doctor.versions", lambda _: {"vllm-big-0": "0.32.0"})
    monkeypatch.setattr("synapse_cli.doctor.enforced", lambda _: True)
    found = {finding.what: finding for finding in cluster(lambda: made, site)}
    always = ["kubernetes", "permission", "storage classes", "network policies"]
    assert [what for what in found if what not in always] == looked_at
    assert not [finding for finding in found.values() if finding.remedy]
    if "memory" in looked_at:
        assert found["memory"].seen == "49.0 of 64.0 GiB"


@pytest.mark.parametrize(
    ("site", "engines"),
    [
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": [ENGINE, SMALL, ENGINE]}, 2),
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": [SMALL]}, 0),
        ({"synapse_gpus": [], "synapse_models": [ENGINE]}, 0),
        ({"synapse_gpus": [{"vram_gib": 32}], "synapse_models": ["big", {}]}, 0),
        ({"synapse_gpus": [{"vram_gib": 32}]}, 0),
    ],
    ids=["two-engines", "no-engine", "no-gpu", "entries-with-faults", "no-catalogue"],
)
def test_only_engines_that_a_deployment_starts_need_a_share(
    site: dict[str, Any], engines: int
) -> None:
    assert engines_on_gpu(site) == engines


def test_the_site_is_read_from_the_inventory_that_is_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hosts.yml").write_text(
        "{all: {hosts: {localhost: {synapse_gpus: [], synapse_models: [{engine: vllm}]}}}}"
    )
    monkeypatch.setenv("ANSIBLE_INVENTORY", f"{tmp_path}/hosts.yml")
    assert engines_on_gpu(read_site()) == 0
    example = "inventory/common,inventory/examples/rtx5090"
    monkeypatch.setenv("ANSIBLE_INVENTORY", example)
    assert read_site()["synapse_gpus"] == [{"vram_gib": 31.4}]


def test_a_site_that_cannot_be_read_is_told_and_the_rest_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("synapse_gpus: [")
    (tmp_path / "hosts.yml").write_text("{all: {hosts: {localhost: {}}}}")
    monkeypatch.setenv("ANSIBLE_INVENTORY", f"{tmp_path}/hosts.yml")
    with pytest.raises(SiteError, match=r"correct this first: .*YAML parsing failed"):
        read_site()

    def connect() -> Cluster:
        raise ClusterError("No usable kubeconfig.")

    console = Console(file=io.StringIO(), width=2000)
    assert doctor(connect, read_site, console) == 1
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "catalogue: Ansible cannot read" in told
    assert "kubernetes: No usable kubeconfig." in told


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
