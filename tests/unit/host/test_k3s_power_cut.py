"""Power is lost between two steps of an installation: nothing is half there, a new run ends it."""

import hashlib
import shutil
from pathlib import Path

import pytest

from k3s_server.machine import Machine, file
from k3s_server.release import IMAGES, Release, served, tree
from role_modules import module

STEPS = 17
# What K3s reads; in between there are its folder of downloads and files that begin with a dot.
PLACES = ("usr/local/bin/k3s", f"var/lib/rancher/k3s/agent/images/{IMAGES}")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What an installation without a cut leaves behind."""
    with served() as release:
        machine = Machine(tmp_path_factory.mktemp("whole") / "root", release)
        assert len(machine.steps()) == STEPS
        machine.deploy()
        assert machine.starts == 1
        return tree(machine.root)


@pytest.mark.parametrize("cut_after", range(STEPS + 1))
def test_a_second_run_finishes_what_a_power_cut_left(
    cut_after: int, machine: Machine, whole: dict[str, tuple[int, str]]
) -> None:
    machine.deploy(until=cut_after)
    machine.power_back()
    for name in PLACES:
        place, body = machine.root / name, machine.release.files[Path(name).name]
        assert not place.exists() or place.read_bytes() == body
    machine.deploy()
    assert tree(machine.root) == whole
    assert machine.is_active
    assert machine.is_enabled


@pytest.mark.parametrize("cut_after", range(STEPS + 1))
def test_a_lost_connection_leaves_no_file_that_k3s_has_not_read(
    cut_after: int, machine: Machine
) -> None:
    machine.deploy()
    machine.files[0] = file("/etc/rancher/k3s/config.yaml", "a: 2\n")
    machine.deploy(until=cut_after)
    machine.deploy()
    assert machine.starts == 2


@pytest.mark.parametrize("name", PLACES)
def test_a_copy_that_is_cut_off_is_not_in_place(
    name: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = module("k3s", "k3s_place")

    def cut(source: Path, part: Path) -> None:
        part.write_bytes(source.read_bytes()[:100])
        if part.parent == (machine.root / name).parent:
            raise OSError(28, "No space left on device", str(part))

    monkeypatch.setattr(shutil, "copyfile", cut)
    with pytest.raises((OSError, place.K3sError)):
        machine.deploy()
    monkeypatch.undo()
    assert not (machine.root / name).exists()
    assert not list((machine.root / name).parent.glob(".*.part"))
    machine.deploy()
    assert machine.is_active


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_changed_after_it_was_verified_is_not_put_in_place(
    name: str, machine: Machine
) -> None:
    machine.deploy(until=3)
    (staged,) = (machine.root / "var/cache/synapse/k3s").rglob(Path(name).name)
    staged.write_bytes(b"changed")
    placing = module("k3s", "k3s_place").Placing(machine.args, machine.root)
    with pytest.raises(module("k3s", "k3s_place").K3sError, match="changed after it was verified"):
        placing.go()
    assert not (machine.root / name).exists()
    machine.deploy()
    assert machine.is_active


def test_a_second_run_changes_nothing_and_restarts_nothing(machine: Machine) -> None:
    machine.deploy()
    before, machine.commands = tree(machine.root), []
    machine.release.codes = dict.fromkeys(machine.release.files, 500)
    assert machine.deploy() == 0
    assert machine.commands == []
    assert tree(machine.root) == before


def test_a_program_that_was_changed_on_the_server_is_put_right_and_restarted(
    machine: Machine,
) -> None:
    machine.deploy()
    (machine.root / PLACES[0]).write_bytes(b"changed")
    machine.deploy()
    assert (machine.root / PLACES[0]).read_bytes() == machine.release.files["k3s"]
    assert machine.starts == 2


def test_the_checksums_that_are_kept_are_those_of_what_is_in_place(machine: Machine) -> None:
    machine.deploy()
    kept = (machine.root / "etc/synapse/k3s-sha256sum.txt").read_text()
    for name in PLACES:
        seen = hashlib.sha256((machine.root / name).read_bytes()).hexdigest()
        assert f"{seen}  {Path(name).name}" in kept.splitlines()


def test_a_check_tells_every_step_and_does_none(tmp_path: Path, release: Release) -> None:
    machine = Machine(tmp_path / "fresh", release)
    placing = module("k3s", "k3s_place").Placing(machine.args, machine.root)
    placing.go(check=True)
    assert placing.done[-2:] == ["put k3s in place", "link kubectl, crictl, ctr"]
    assert tree(machine.root) == {}


@pytest.mark.parametrize("name", ["data", "server/db"])
def test_a_folder_in_which_something_lies_is_not_taken_for_k3s_own(
    name: str, machine: Machine
) -> None:
    theirs = machine.root / "var/lib/rancher/k3s" / name
    theirs.mkdir(parents=True)
    refused = module("k3s", "k3s_place").K3sError
    with pytest.raises(refused, match=f"/var/lib/rancher/k3s/{name} is there"):
        machine.deploy()
    assert not (machine.root / PLACES[0]).exists()
    theirs.rmdir()
    machine.deploy()
    assert machine.is_active


def test_a_damaged_record_is_a_sentence(machine: Machine) -> None:
    record = machine.root / "etc/synapse/server.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    with pytest.raises(module("k3s", "k3s_place").K3sError, match=r"server\.json is damaged"):
        machine.deploy()
