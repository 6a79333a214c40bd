"""A voice is on the volume whole or not at all, and one that cannot be had is named."""

import sys
from pathlib import Path

import pytest

from synapse_speech import fetching, libraries


def fetch(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fetching", "--folder", str(folder), *arguments])
    return fetching.main()


def download(voice: str, folder: Path) -> None:
    """Stands in for Piper's own: half of a voice named `torn`, none of one named `gone`."""
    if voice == "gone":
        raise OSError("HTTP Error 404: Not Found")
    (folder / f"{voice}.onnx").write_text("a model")
    if voice == "torn":
        raise OSError("the connection broke")
    (folder / f"{voice}.onnx.json").write_text("{}")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "download_voice", download)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_voices_are_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(monkeypatch, tmp_path, "good") == 0
    assert names(tmp_path) == ["good.onnx", "good.onnx.json"]
    assert "fetching the voice good" in capsys.readouterr().out
    assert fetch(monkeypatch, tmp_path, "good") == 0
    assert capsys.readouterr().out == ""


def test_what_cannot_be_had_is_named_and_the_others_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(monkeypatch, tmp_path, "gone", "torn", "good") == 1
    told = capsys.readouterr().err
    assert "The voice gone cannot be fetched: HTTP Error 404" in told
    assert "The voice torn cannot be fetched: the connection broke" in told
    assert names(tmp_path) == ["good.onnx", "good.onnx.json"]


def test_offline_only_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(monkeypatch, tmp_path, "--offline", "good") == 1
    assert "nothing may be fetched" in capsys.readouterr().err
    assert names(tmp_path) == []


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
