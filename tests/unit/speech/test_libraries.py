"""The speech server's libraries are on the volume whole or not at all."""

import sys
from pathlib import Path

import pytest

from synapse_speech import libraries


def test_libraries_that_cannot_be_installed_leave_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("no-such-thing @ file:///nowhere\n")
    folder = tmp_path / "libraries"
    arguments = ["--requirements", str(tmp_path / "requirements.txt"), "--folder", str(folder)]
    monkeypatch.setattr(sys, "argv", ["libraries", *arguments])
    assert libraries.main() == 1
    assert not folder.exists()


def test_libraries_that_are_there_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--requirements", "/nowhere", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["libraries", *arguments])
    assert libraries.main() == 0
