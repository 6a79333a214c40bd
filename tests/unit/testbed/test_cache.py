"""The cache keeps whole artefacts only, and builds each of them once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synapse_testbed.cache import VERSIONS_KEPT, Cache, Recipe
from synapse_testbed.commands import TestbedError

LIMIT_S = 20

INTERRUPTED = """
import sys, time
from pathlib import Path
from synapse_testbed.cache import Cache, Recipe

def build(folder):
    (folder / "half").write_text("half")
    print("building", flush=True)
    time.sleep(60)

Cache(Path(sys.argv[1])).obtain(Recipe("thing", {"version": "1"}, build))
"""


class Builds:
    """A recipe's work that counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, folder: Path) -> None:
        self.done += 1
        (folder / "file").write_text("whole")


def recipe(build: Builds, version: str = "1") -> Recipe:
    return Recipe("thing", {"version": version}, build, limit_s=LIMIT_S)


def artefacts(root: Path) -> list[str]:
    return [path.name for path in (root / "thing").iterdir() if not path.name.startswith(".")]


def test_cache_builds_an_artefact_once(tmp_path: Path) -> None:
    build = Builds()
    first = Cache(tmp_path).obtain(recipe(build))
    assert Cache(tmp_path).obtain(recipe(build)) == first
    assert (build.done, (first / "file").read_text()) == (1, "whole")


def test_cache_keeps_nothing_of_a_killed_build(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        while process.stdout.readline().strip() != "building":
            assert process.poll() is None, "the build ended before it was killed"
        process.send_signal(signal.SIGKILL)
    assert artefacts(tmp_path) == []
    folder = Cache(tmp_path).obtain(recipe(Builds()))
    assert sorted(path.name for path in folder.iterdir()) == ["file", "inputs.json"]
    assert not list((tmp_path / "thing").glob(".*.partial"))


def test_cache_keeps_nothing_of_a_failed_build(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise TestbedError("no network")

    told: list[str] = []
    with pytest.raises(TestbedError, match="no network"):
        Cache(tmp_path, told.append).obtain(Recipe("thing", {"version": "1"}, fail))
    assert told[-1] == "thing: failed after 0 s"
    assert artefacts(tmp_path) == []
    assert not list((tmp_path / "thing").glob(".*.partial"))


def test_cache_lets_one_of_two_builds_work_and_the_other_wait(tmp_path: Path) -> None:
    begun, waiting = threading.Event(), threading.Event()
    told: list[str] = []
    build = Builds()

    def slow(folder: Path) -> None:
        begun.set()
        assert waiting.wait(LIMIT_S), "the second build never said that it waits"
        build(folder)

    def tell(line: str) -> None:
        told.append(line)
        waiting.set()

    first = threading.Thread(
        target=lambda: Cache(tmp_path).obtain(Recipe("thing", {"version": "1"}, slow))
    )
    first.start()
    assert begun.wait(LIMIT_S)
    folder = Cache(tmp_path, tell).obtain(recipe(build))
    first.join(LIMIT_S)
    assert (build.done, (folder / "file").read_text()) == (1, "whole")
    assert told == ["thing: another build is making it, waiting (limit 0 min)"]


def test_cache_gives_up_waiting_with_a_sentence(tmp_path: Path) -> None:
    begun, over = threading.Event(), threading.Event()

    def endless(folder: Path) -> None:
        begun.set()
        over.wait(LIMIT_S)

    endless_recipe = Recipe("thing", {"version": "1"}, endless)
    first = threading.Thread(target=lambda: Cache(tmp_path).obtain(endless_recipe))
    first.start()
    assert begun.wait(LIMIT_S)
    impatient = Recipe("thing", {"version": "1"}, Builds(), limit_s=0)
    try:
        with pytest.raises(TestbedError, match="thing: another build has not ended within 0 min"):
            Cache(tmp_path).obtain(impatient)
    finally:
        over.set()
        first.join(LIMIT_S)


def test_cache_says_which_input_is_new(tmp_path: Path) -> None:
    told: list[str] = []
    cache = Cache(tmp_path, told.append)
    cache.obtain(Recipe("thing", {"go.sum": "1", "flags": "-s"}, Builds()))
    cache.obtain(Recipe("thing", {"go.sum": "2", "flags": "-s"}, Builds()))
    assert told[0] == "thing: building (not in the cache yet) ..."
    assert told[2] == "thing: building (changed since the last build: go.sum) ..."


def test_cache_names_no_more_new_inputs_than_a_line_holds(tmp_path: Path) -> None:
    told: list[str] = []
    cache = Cache(tmp_path, told.append)
    for version in "12":
        inputs = {f"file{number}": version for number in range(5)}
        cache.obtain(Recipe("thing", inputs, Builds()))
    reason = "changed since the last build: file0, file1, file2 and 2 more"
    assert told[2] == f"thing: building ({reason}) ..."


def test_cache_keeps_the_versions_used_last(tmp_path: Path) -> None:
    recipes = [recipe(Builds(), version=str(number)) for number in range(VERSIONS_KEPT + 1)]
    for number, one in enumerate(recipes):
        with Cache(tmp_path) as cache:
            folder = cache.obtain(one)
        os.utime(folder, (number, number))
    with Cache(tmp_path) as cache:
        cache.obtain(recipes[1])
        cache.obtain(recipe(Builds(), version="new"))
    kept = {recipes[1].key, recipes[-1].key, recipe(Builds(), version="new").key}
    assert set(artefacts(tmp_path)) == kept


def test_cache_spares_versions_that_are_in_use(tmp_path: Path) -> None:
    with Cache(tmp_path) as user, Cache(tmp_path) as other:
        used = user.obtain(recipe(Builds(), version="used"))
        os.utime(used, (0, 0))
        for number in range(VERSIONS_KEPT):
            other.obtain(recipe(Builds(), version=str(number)))
        assert (used / "file").exists()
