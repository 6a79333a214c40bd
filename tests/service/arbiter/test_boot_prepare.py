"""A download tells how far it is, has a limit, checks its space, and fails with a sentence."""

import shlex
import sys
from pathlib import Path

import pytest

from boot_prepare import GIB, Preparation, PrepareError, prepare

# Fills a folder with the size it is told, then ends when another file is there.
DOWNLOAD = """
import os, pathlib, sys, time
folder, go = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
(folder / "blobs").mkdir()
(folder / "blobs/weights").write_bytes(bytes(2**20))
(folder / "model").symlink_to("blobs/weights")
while not go.exists():
    time.sleep(0.01)
"""


def command_of(code: str, *arguments: object) -> str:
    return shlex.join([sys.executable, "-c", code, *map(str, arguments)])


def test_a_long_download_says_how_far_it_is(tmp_path: Path) -> None:
    go, said = tmp_path / "go", list[str]()
    folder = tmp_path / "cache"
    folder.mkdir()

    def say(text: str) -> None:
        said.append(text)
        if f"{2**20 / GIB:.1f} GiB so far" in text and (folder / "model").exists():
            go.touch()

    job = Preparation("big", command_of(DOWNLOAD, folder, go), 60, str(folder))
    prepare(job, say, every_s=0.05)
    assert any("GiB so far, after" in text for text in said)
    assert "done after" in said[-1]


def test_a_download_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    job = Preparation("big", command_of(DOWNLOAD, folder, tmp_path / "never"), 0.2, str(folder))
    with pytest.raises(PrepareError, match=r"(?s)^big: .* did not end within 0.2 s"):
        prepare(job, lambda _: None)


def test_a_failed_download_names_model_and_reason() -> None:
    code = r"""
import sys
print("trying", flush=True)
print("\033[31mError: Repository not found\033[0m", flush=True)
sys.exit("Hint: look again")
"""
    said = list[str]()
    with pytest.raises(PrepareError, match=r"(?s)^big: .* status 1: Error: Repository not found$"):
        prepare(Preparation("big", command_of(code), 60), said.append)
    assert "trying" in said


def test_a_download_that_has_no_room_is_not_begun(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    command = command_of("import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", ran)
    job = Preparation("big", command, 60, str(tmp_path / "not/there/yet"), 1e9)
    with pytest.raises(PrepareError, match=r"^big: 1000000000.0 GiB are still to come"):
        prepare(job, lambda _: None)
    assert not ran.exists()


def test_what_is_there_already_needs_no_room(tmp_path: Path) -> None:
    with (tmp_path / "weights").open("wb") as weights:
        weights.write(bytes(2**21))
    prepare(Preparation("big", command_of(""), 60, str(tmp_path), 2**20 / GIB), lambda _: None)
