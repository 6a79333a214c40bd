"""`make find`: shown as a difference, written whole, and what is typed wins."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from host_facts_of import facts, forge, with_system
from synapse_cli.doctor.server import Asked
from synapse_cli.find import FILE, FindError, find
from synapse_host.facts import HostFacts

PLATFORM = "group_vars/all/platform.yml"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site whose platform.yml says nothing of its server."""
    folder = tmp_path / "forge"
    (folder / PLATFORM).parent.mkdir(parents=True)
    (folder / PLATFORM).write_text("---\nsynapse_cpu_memory_gib: 56\n")
    return folder


def told(server: HostFacts) -> Asked:
    return Asked({"forge": {"facts": json.loads(json.dumps(asdict(server)))}})


def run(site: Path, asked: Asked, **options: Any) -> str:
    """Run the command; return what it says."""
    console = Console(file=io.StringIO(), width=200)
    assert find(lambda: {}, lambda _: asked, console, site, **options) == 0
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_the_server_has_is_written_and_shown(site: Path) -> None:
    shown = run(site, told(forge()))
    written = (site / FILE).read_text()
    assert written.startswith("---\n# What the server has, as `make find` found it")
    values = written.splitlines()[3:]
    assert values == [
        "synapse_kubeconfig: ~/.kube/synapse/forge.yaml", "synapse_memory_gib: 188",
        "synapse_cpu_cores: 28", "synapse_gpus:", "- vram_gib: 31.3",
    ]  # fmt: skip
    assert [line for line in shown.splitlines() if line.startswith("+")][-5:] == [
        f"+{line}" for line in values
    ]
    assert {path.name for path in (site / FILE).parent.iterdir()} == {"found.yml", "platform.yml"}


def test_a_second_run_changes_nothing(site: Path) -> None:
    run(site, told(forge()))
    file = site / FILE
    before = (file.read_text(), file.stat().st_mtime_ns)
    assert run(site, told(forge())) == f"{file}: nothing changed.\n"
    assert (file.read_text(), file.stat().st_mtime_ns) == before


def test_a_server_that_grew(site: Path) -> None:
    run(site, told(forge()))
    shown = run(site, told(with_system(forge(), memory_gib=377.2)))
    assert "-synapse_memory_gib: 188\n+synapse_memory_gib: 377\n" in shown


def test_to_check_writes_nothing(site: Path) -> None:
    assert "+synapse_memory_gib: 188" in run(site, told(forge()), check=True)
    assert not (site / FILE).exists()


def test_a_typed_value_wins_and_is_named(site: Path) -> None:
    (site / PLATFORM).write_text("---\nsynapse_memory_gib: 100\nsynapse_cpu_cores: 28\n")
    shown = run(site, told(forge()))
    assert "synapse_memory_gib: platform.yml:2 says 100, which wins; found: 188.\n" in shown
    assert "synapse_cpu_cores: platform" not in shown


def test_what_another_file_types_is_not_overridden(site: Path) -> None:
    """Ansible reads files by their names: apps.yml before found.yml."""
    (site / "group_vars/all/apps.yml").write_text("synapse_gpus: [{vram_gib: 20}]\n")
    shown = run(site, told(forge()))
    assert "synapse_gpus: apps.yml:1 says [{vram_gib: 20}], which wins" in shown
    assert "synapse_gpus" not in (site / FILE).read_text()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(), "names no server, so there is nothing to find"),
        (Asked(fault="Ansible asked nobody: no"), "Ansible asked nobody: no"),
        (Asked({"a": {}, "b": {}}), "names several servers, a, b; leave one"),
        (Asked({"forge": {"msg": "Missing sudo password"}}), "forge: sudo wants a password."),
        (Asked({"forge": {"facts": {"x": 1}}}), "x is unknown"),
    ],
)
def test_why_nothing_was_found(site: Path, asked: Asked, why: str) -> None:
    with pytest.raises(FindError) as refused:
        run(site, asked)
    assert why in str(refused.value)
    assert not (site / FILE).exists()


def test_notes_are_shown(site: Path) -> None:
    silent = facts(gpus=forge().gpus)
    assert "its driver does not tell its memory" in run(site, told(silent))
