"""The doctor's report: one line each, then what to do."""

import io

import pytest
from rich.console import Console

from synapse_operator.cluster import Cluster, ClusterError
from synapse_operator.doctor import Finding, doctor, report


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
            Finding("ansible", "missing", "Run make setup."),
            Finding("kubernetes", "gone", "Start it."),
        ]
    )
    assert status == 1
    assert "ansible: Run make setup." in text
    assert "kubernetes: Start it." in text


def test_cluster_that_is_not_there_is_a_finding_and_no_traceback() -> None:
    def connect() -> Cluster:
        raise ClusterError(
            "No usable kubeconfig (none). Set KUBECONFIG to the server's kubeconfig file."
        )

    console = Console(file=io.StringIO(), width=200)
    assert doctor(connect, console) == 1
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
