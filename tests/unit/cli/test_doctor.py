"""The doctor's report: a line each under its place, then what to do."""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.doctor.everything import doctor
from synapse_cli.doctor.machine import machine
from synapse_cli.doctor.report import as_json, report
from synapse_cli.doctor.server import Asked
from synapse_cli.site import SiteError, read_site
from synapse_common.finding import Finding

WELL = Finding("this machine", "python", "3.11.7")
NOTE = Finding("server", "swap", "8.0 GiB", "Switch it off, or leave it.", is_note=True)
WRONG = Finding("gpu", "driver", "none", "Install it.")
MENDED = Finding("gpu", "runtime of k3s", "missing", "Restart it.", goes_on=True)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def printed(
    findings: list[Finding], show: Callable[[list[Finding], Console], int] = report
) -> tuple[int, str]:
    """The exit status and the text of a report."""
    console = Console(file=io.StringIO(), width=200)
    return show(findings, console), text_of(console)


def no_gpu() -> dict[str, Any]:
    """The variables of a site without a GPU."""
    return {"synapse_gpus": [], "synapse_models": [], "synapse_aliases": [], "synapse_apps": []}


def nobody(_site: Mapping[str, Any]) -> Asked:
    return Asked()


def no_cluster() -> Cluster:
    raise ClusterError("No usable kubeconfig (none). Set KUBECONFIG to the server's file.")


def test_all_well_names_the_next_command() -> None:
    status, text = printed([WELL])
    assert status == 0
    assert "make deploy" in text


def test_notes_are_told_and_nothing_waits_for_them() -> None:
    status, text = printed([WELL, NOTE])
    assert status == 0
    assert "  note   swap    8.0 GiB" in text
    assert "Worth knowing:\n  swap: Switch it off, or leave it." in text
    assert "make deploy" in text


def test_everything_wrong_is_told_at_once_with_its_remedy() -> None:
    status, text = printed([WELL, NOTE, WRONG, MENDED])
    assert status == 1
    assert "What to do:\n  driver: Install it.\n  runtime of k3s: Restart it.\n" in text
    assert "make deploy" not in text


def test_no_line_is_broken_on_a_narrow_screen() -> None:
    console = Console(file=io.StringIO(), width=30)
    report([Finding("gpu", "driver", "seen " * 20, "`sudo reboot` " * 20)], console)
    assert "seen " * 20 in text_of(console)
    assert "`sudo reboot` " * 20 in text_of(console)


def test_each_place_is_a_heading() -> None:
    lines = printed([WELL, NOTE, WRONG, MENDED])[1].splitlines()
    assert [line for line in lines[:7] if line[0] != " "] == ["This machine", "Server", "GPU"]


def test_programs_get_every_finding_with_its_level() -> None:
    status, text = printed([WELL, NOTE, WRONG], as_json)
    assert status == 1
    assert [one["level"] for one in json.loads(text)] == ["ok", "note", "wrong"]
    assert json.loads(text)[1] == {
        "place": "server",
        "what": "swap",
        "seen": "8.0 GiB",
        "level": "note",
        "remedy": "Switch it off, or leave it.",
    }
    assert printed([WELL, NOTE], as_json)[0] == 0


def test_json_is_neither_wrapped_nor_coloured() -> None:
    console = Console(file=io.StringIO(), width=20, force_terminal=True)
    as_json([Finding("server", "swap", "[red] " * 20)], console)
    assert json.loads(text_of(console))[0]["seen"] == "[red] " * 20


def test_programs_that_only_the_documents_use_are_optional(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "git").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {finding.what: finding for finding in machine()}
    assert found["git"] == Finding("this machine", "git", f"{tmp_path}/git")
    assert found["kubectl"].seen.startswith("not found; optional: ")
    assert found["kubectl"].remedy == ""


def test_cluster_that_is_not_there_is_a_finding_and_no_traceback() -> None:
    console = Console(file=io.StringIO(), width=200)
    assert doctor(no_cluster, no_gpu, nobody, console) == 1
    assert "kubernetes: No usable kubeconfig" in text_of(console)


def test_missing_kubeconfig_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", f"{tmp_path}/none"
    )
    with pytest.raises(ClusterError, match="Set KUBECONFIG"):
        Cluster("llm-infra")


def test_a_site_that_cannot_be_read_is_told_and_the_rest_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("synapse_gpus: [")
    (tmp_path / "hosts.yml").write_text("{all: {hosts: {localhost: {}}}}")
    monkeypatch.setenv("ANSIBLE_INVENTORY", f"{tmp_path}/hosts.yml")
    with pytest.raises(SiteError, match=r"correct this first: .*YAML parsing failed"):
        read_site()
    console = Console(file=io.StringIO(), width=2000)
    assert doctor(no_cluster, read_site, nobody, console) == 1
    told = text_of(console)
    assert "catalogue: Ansible cannot read" in told
    assert "not asked: the site names it" in told
    assert "kubernetes: No usable kubeconfig" in told


def test_faults_of_the_catalogue_are_one_finding() -> None:
    site = no_gpu() | {"synapse_models": [{"name": "a"}, {"name": "b"}]}
    console = Console(file=io.StringIO(), width=2000)
    assert doctor(no_cluster, lambda: site, nobody, console, to_json=True) == 1
    (told,) = [one for one in json.loads(text_of(console)) if one["place"] == "site"]
    assert told["what"] == "catalogue"
    assert told["level"] == "wrong"
    assert told["remedy"].count("engine") >= 2
