"""`make init`: a site of its own, whole or not at all, and never a second time over the first."""

import io
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from synapse_cli.init import InitError, init

MODELS = "group_vars/all/models.yml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with two examples."""
    for name in ("large", "small"):
        file = tmp_path / "inventory/examples" / name / MODELS
        file.parent.mkdir(parents=True)
        file.write_text(f"synapse_models: []  # {name}\n")
    (tmp_path / "inventory/examples/site.schema.json").write_text("{}")
    (tmp_path / "inventory/common").mkdir()
    return tmp_path


def made(root: Path, name: str, example: str) -> str:
    """Run the command; return what it says."""
    console = Console(file=io.StringIO(), width=200)
    assert init(name, example, console, root) == 0
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def git(folder: Path, *words: str) -> str:
    """What git says of a folder."""
    run = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True)
    return run.stdout.strip()


def test_a_site_is_a_committed_copy_of_its_example_and_in_use(root: Path) -> None:
    told = made(root, "forge", "large")
    site = root / "inventory/forge"
    assert (root / "inventory/current").resolve() == site
    assert (site / MODELS).read_text() == "synapse_models: []  # large\n"
    left = {path.name for path in (root / "inventory").iterdir()}
    assert left == {"common", "current", "examples", "forge"}
    assert git(site, "rev-parse", "--show-toplevel") == str(site)
    assert git(site, "status", "--porcelain") == ""
    assert git(site, "log", "--format=%s") == "Begin with the example large"
    for word in ("inventory/forge/group_vars/all/models.yml", "make check", "make deploy"):
        assert word in told


def test_what_is_no_part_of_a_site_cannot_be_committed(root: Path) -> None:
    made(root, "forge", "large")
    site = root / "inventory/forge"
    for name in ("keys.yml", "kubeconfig", "id_ed25519", ".env"):
        (site / name).write_text("secret")
    (site / "group_vars/all/more.yml").write_text("mine: 1\n")
    assert git(site, "status", "--porcelain") == "?? group_vars/all/more.yml"


def test_a_site_that_is_there_is_left_alone_and_used(root: Path) -> None:
    made(root, "forge", "large")
    file = root / "inventory/forge" / MODELS
    file.write_text("synapse_models: []  # mine\n")
    made(root, "cabin", "small")
    assert (root / "inventory/current").resolve().name == "cabin"
    assert "was there already" in made(root, "forge", "small")
    assert (root / "inventory/current").resolve().name == "forge"
    assert file.read_text() == "synapse_models: []  # mine\n"


@pytest.mark.parametrize("name", ["Forge", "a/b", "-x", "common", "current", "examples", ""])
def test_every_fault_is_told_at_once_and_nothing_is_made(root: Path, name: str) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(InitError) as refused:
        init(name, "huge", Console(file=io.StringIO()), root)
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"SITE={name}: is no name for a site")
    assert second == "EXAMPLE=huge: there is no such example; take large, small."
    assert sorted(root.rglob("*")) == before


def test_a_link_that_is_no_link_is_not_replaced(root: Path) -> None:
    (root / "inventory/current").mkdir()
    with pytest.raises(InitError, match="inventory/current is not a link"):
        init("forge", "large", Console(file=io.StringIO()), root)


def test_a_failure_on_the_way_leaves_no_site(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bin/git"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\ncase \"$*\" in *commit*) echo 'disk full' >&2; exit 1;; esac\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
    with pytest.raises(InitError, match="no site was made: disk full"):
        init("forge", "large", Console(file=io.StringIO()), root)
    assert not (root / "inventory/forge").exists()
    assert not (root / "inventory/current").is_symlink()
    monkeypatch.undo()
    made(root, "forge", "large")
    assert git(root / "inventory/forge", "log", "--format=%s") == "Begin with the example large"
