"""What is made for Debian 13's Python does not depend on this machine's; tests run on both once."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from synapse_testbed import python, testing
from synapse_testbed.cache import Cache

HOST = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run in a container."""
    ran: list[list[str]] = []

    def run(
        tools: Path, command: list[str], mounts: Mapping[Path, str], *_: str, **__: Any
    ) -> None:
        assert {"/synapse:ro", "/synapse/.venv:ro"} < set(mounts.values())
        assert all(place.endswith(":ro") for place in mounts.values())
        ran.append(command)

    monkeypatch.setattr(python, "run_in_debian", run)
    return ran


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cache:
    """A cache that has everything."""
    monkeypatch.setattr(Cache, "obtain", lambda self, recipe: tmp_path / recipe.name)
    return Cache(tmp_path)


def test_tests_run_again_where_this_machines_python_is_another(
    cache: Cache, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python, "VERSION", "3.0")
    testing.run_again(cache)
    [command] = commands
    assert command[:3] == ["python", "-m", "pytest"]
    assert command[-2:] == ["tests/unit", "tests/render"]


def test_tests_do_not_run_twice_on_the_same_python(
    cache: Cache,
    commands: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(python, "VERSION", HOST)
    testing.run_again(cache)
    assert commands == []
    assert f"this machine's Python is Debian 13's ({HOST})" in capsys.readouterr().out


def test_libraries_are_installed_for_the_images_python_whatever_runs_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(python, "run", lambda command, **_: ran.append(command))
    python.install("httpx==0.28.1\n", tmp_path / "packages")
    [command] = ran
    assert command[command.index("--python-version") + 1] == "3.13"
    assert "--only-binary" in command, "nothing is built for the wrong Python"
    assert list(tmp_path.iterdir()) == []


def test_another_python_makes_other_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    before = testing.environment_for_tests().key
    monkeypatch.setattr(python, "VERSION", "3.14")
    assert testing.environment_for_tests().key != before
