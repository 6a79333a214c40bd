"""What roles' modules write is whole, for whom it is meant, and leaves nothing beside it."""

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

import role_modules  # noqa: F401  (makes the next one importable)

FILES: Any = importlib.import_module("ansible.module_utils.synapse_files")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "etc/synapse/server.json"


def test_everybody_reads_what_is_for_everybody_whatever_roots_umask(place: Path) -> None:
    before = os.umask(0o077)
    try:
        FILES.write(place, "text\n", 0o644)
    finally:
        os.umask(before)
    assert place.read_text() == "text\n"
    folders = [folder.stat().st_mode & 0o777 for folder in (place.parent, place.parents[1])]
    assert (place.stat().st_mode & 0o777, folders) == (0o644, [0o755, 0o755])
    assert [one.name for one in place.parent.iterdir()] == ["server.json"]


def test_a_secret_is_at_no_time_for_others(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    chmod = Path.chmod

    def watched(one: Path, mode: int) -> None:
        seen.append(one.stat().st_mode & 0o77)
        chmod(one, mode)

    monkeypatch.setattr(Path, "chmod", watched)
    FILES.write(place, b"secret", 0o600)
    assert (seen[-1], place.stat().st_mode & 0o777) == (0, 0o600)


def test_a_disk_that_is_full_leaves_what_was_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FILES.write(place, "before", 0o644)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        FILES.write(place, "after", 0o644)
    assert place.read_text() == "before"
    assert [one.name for one in place.parent.iterdir()] == ["server.json"]


def test_what_a_power_cut_left_beside_it_is_written_over(place: Path) -> None:
    place.parent.mkdir(parents=True)
    place.with_name(".server.json.part").write_text("much longer than what follows")
    FILES.write(place, "short", 0o644)
    assert [one.read_text() for one in place.parent.iterdir()] == ["short"]
