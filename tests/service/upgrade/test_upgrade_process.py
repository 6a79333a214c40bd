"""The upgrading program itself, while the files that it was started from are replaced."""

import os
import subprocess
from pathlib import Path

import pytest

from two_releases import TwoReleases, two_releases

PACKAGE = "files/synapse_cli"
BROKEN = (r"\A", "raise SystemExit('the later version was started')\n")
MAKE = '#!/bin/sh\necho "$1" >>"$STEPS"\n[ "$1" != render ] || mkdir -p .render/manifests\n'


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    """Two versions, of which the later cannot be started."""
    names = ("__main__", "upgrade", "changes", "releases", "rendered", "version")
    later = {f"{PACKAGE}/{name}.py": BROKEN for name in names}
    return two_releases(tmp_path_factory.mktemp("releases"), later=later)


def upgrade(releases: TwoReleases, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a make that only writes down what it was asked for."""
    releases.git("checkout", "--quiet", "--force", releases.old)
    (place / "bin").mkdir()
    (place / "bin/make").write_text(MAKE)
    (place / "bin/make").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{place}/bin:{os.environ['PATH']}",
        "STEPS": str(place / "steps"),
        "XDG_STATE_HOME": str(place),
    }
    return subprocess.run(
        [releases.root / ".venv/bin/python", "-m", "synapse_cli", "upgrade", releases.new, *words],
        cwd=releases.root,
        env=env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_it_goes_on_as_the_program_that_was_started(releases: TwoReleases, tmp_path: Path) -> None:
    run = upgrade(releases, tmp_path, "--yes")
    assert run.returncode == 0, run.stdout + run.stderr
    assert releases.at() == releases.new
    assert (tmp_path / "steps").read_text().split() == [
        "render", "export-keys", "setup", "render", "check", "deploy", "test-health",
    ]  # fmt: skip
    assert run.stdout.endswith(f"Back: make upgrade TO={releases.old}\n")


def test_where_nobody_can_be_asked_nothing_is_deployed(
    releases: TwoReleases, tmp_path: Path
) -> None:
    run = upgrade(releases, tmp_path)
    assert run.returncode == 1
    assert "YES=1 goes on without asking" in run.stdout
    assert releases.at() == releases.old
    assert "deploy" not in (tmp_path / "steps").read_text().split()
