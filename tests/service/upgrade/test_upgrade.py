"""`make upgrade` on a checkout of this tree with two tags: there, back, and every way to fail."""

import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from synapse_cli.upgrade import Upgrade
from two_releases import TwoReleases, two_releases

# As much of the site as shows a change: rendering all of it takes long.
SITE = """---
- name: Serve small models on the CPU
  ansible.builtin.import_playbook: playbooks/ollama.yml
"""
DEPLOYMENT = "roles/ollama/templates/deployment.yaml.j2"
GRACE = r"terminationGracePeriodSeconds: .*"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> TwoReleases:
    """The two versions, of which the later gives Ollama more time to stop."""
    return two_releases(
        tmp_path_factory.mktemp("pristine"),
        both={"site.yml": SITE},
        later={DEPLOYMENT: (GRACE, "terminationGracePeriodSeconds: 77")},
    )


@pytest.fixture
def releases(pristine: TwoReleases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TwoReleases:
    """The checkout at the older version, as nothing was done to it yet."""
    pristine.git("checkout", "--quiet", "--force", pristine.old)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return pristine


class Steps:
    """Takes the steps in the place of make: what would touch the cluster is only written down."""

    def __init__(self, releases: TwoReleases, fail: str = "", real: tuple[str, ...] = ()) -> None:
        self.releases, self.fail, self.real = releases, fail, real
        self.taken: list[str] = []

    def __call__(self, command: Sequence[str]) -> int:
        make, target, *words = command
        assert make == "make"
        self.taken.append(f"{target} at {self.releases.at()}")
        if target == self.fail:
            self.fail = ""
            return 2
        if target in self.real:
            env = {**os.environ, "MAKEFLAGS": "", "ANSIBLE_CONFIG": "ansible.cfg"}
            run = subprocess.run(command, cwd=self.releases.root, env=env, capture_output=True)
            return run.returncode
        if target == "render":
            (self.releases.root / ".render/manifests").mkdir(parents=True, exist_ok=True)
        if target == "export-keys":
            Path(words[0].removeprefix("FILE=")).write_text("keys\n")
        return 0


def go(steps: Steps, tag: str, answer: bool = True) -> tuple[int, str]:
    """The exit status, and all that was said."""
    said: list[str] = []
    way = Upgrade(tag, steps, lambda _: answer, said.append, steps.releases.root)
    return way.go(), "\n".join(said)


@pytest.mark.timeout(400)
def test_the_site_goes_to_the_later_version_and_back(releases: TwoReleases, tmp_path: Path) -> None:
    old, new = releases.old, releases.new
    steps = Steps(releases, real=("setup", "render"))
    status, said = go(steps, new)
    assert status == 0, said
    assert steps.taken == [
        f"render at {old}", f"export-keys at {old}", f"setup at {new}", f"render at {new}",
        f"check at {new}", f"deploy at {new}", f"test-health at {new}",
    ]  # fmt: skip
    assert "There is no remote" in said
    assert "- Something small is new." in said
    assert "The first version." not in said
    assert "changed: Deployment ollama\nrestarts: Deployment ollama\n" in said
    assert f"{new} is deployed." in said
    assert said.endswith(f"Back: make upgrade TO={old}")
    assert [f"[{number}/8]" in said for number in range(1, 10)] == [True] * 8 + [False]
    (folder,) = (tmp_path / "synapse/backups").glob("*/*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "keys.yml").read_text() == "keys\n"
    assert "+      terminationGracePeriodSeconds: 77\n" in (folder / "changes.diff").read_text()

    back = Steps(releases, real=("setup", "render"))
    status, said = go(back, old)
    assert status == 0, said
    assert back.taken[-2:] == [f"deploy at {old}", f"test-health at {old}"]
    assert "What goes away from" in said
    assert "- Something small is new." in said
    assert "changed: Deployment ollama\nrestarts: Deployment ollama\n" in said
    assert said.endswith(f"Back: make upgrade TO={new}")
    assert releases.at() == old


@pytest.mark.parametrize("step", ["render", "export-keys"])
def test_before_the_checkout_a_failure_changes_nothing(releases: TwoReleases, step: str) -> None:
    steps = Steps(releases, fail=step)
    status, said = go(steps, releases.new)
    assert status == 1
    assert f"make {step} failed" in said
    assert "Nothing was changed, neither here nor in the cluster." in said
    assert steps.taken[-1] == f"{step} at {releases.old}"
    assert releases.at() == releases.old


@pytest.mark.parametrize("step", ["setup", "check"])
def test_a_version_that_does_not_pass_its_check_is_left_again(
    releases: TwoReleases, step: str
) -> None:
    steps = Steps(releases, fail=step)
    status, said = go(steps, releases.new)
    assert status == 1
    assert f"make {step} failed" in said
    assert f"Nothing was changed in the cluster; {releases.old} is checked out again." in said
    assert f"Try again: make upgrade TO={releases.new}" in said
    assert steps.taken[-1] == f"setup at {releases.old}"
    assert not [one for one in steps.taken if one.startswith("deploy")]
    assert releases.at() == releases.old


def test_whoever_says_no_is_where_they_were(releases: TwoReleases) -> None:
    steps = Steps(releases)
    status, said = go(steps, releases.new, answer=False)
    assert (status, releases.at()) == (1, releases.old)
    assert "Not deployed." in said
    assert not [one for one in steps.taken if one.startswith("deploy")]


@pytest.mark.parametrize(
    ("step", "state"),
    [("deploy", "and deployed in part at most"), ("test-health", "not all of it is well")],
)
def test_a_deployment_that_fails_is_told_with_both_ways_out(
    releases: TwoReleases, step: str, state: str
) -> None:
    status, said = go(Steps(releases, fail=step), releases.new)
    assert status == 1
    assert state in said
    assert said.endswith(f"Back: make upgrade TO={releases.old}")
    assert releases.at() == releases.new


def test_who_comes_from_a_branch_gets_back_to_it(releases: TwoReleases) -> None:
    releases.git("checkout", "--quiet", "-B", "work", releases.old)
    releases.git("commit", "--quiet", "--allow-empty", "--message", "chore: not released")
    _, said = go(Steps(releases, fail="check"), releases.new)
    assert releases.git("branch", "--show-current") == "work"
    assert "work is checked out again" in said
    status, said = go(Steps(releases), releases.new)
    assert (status, releases.at()) == (0, releases.new)
    assert said.endswith("Back: git checkout work && make deploy")


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        ("", "There is no version (TO=... is missing): "),
        ("v9.9.9", "There is no version v9.9.9: "),
        ("main", "There is no version main: "),
    ],
)
def test_a_version_that_is_not_there_is_told_with_those_that_are(
    releases: TwoReleases, tag: str, sentence: str
) -> None:
    steps = Steps(releases)
    status, said = go(steps, tag)
    assert (status, steps.taken) == (1, [])
    assert f"{sentence}{releases.old}, {releases.new}." in said


def test_the_version_that_is_there_already_is_told(releases: TwoReleases) -> None:
    status, said = go(Steps(releases), releases.old)
    assert status == 1
    assert f"{releases.old} is what is checked out" in said


def test_changed_files_of_synapse_stop_it_and_are_named(releases: TwoReleases) -> None:
    (releases.root / "README.md").write_text("mine\n")
    steps = Steps(releases)
    status, said = go(steps, releases.new)
    assert (status, steps.taken) == (1, [])
    assert "M README.md" in said
    assert "git stash" in said


def test_a_remote_is_asked_for_its_tags(releases: TwoReleases, tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    subprocess.run(["git", "clone", "--quiet", str(releases.root), str(fork)], check=True)
    clone = TwoReleases(fork, releases.old, releases.new)
    clone.git("tag", "--delete", releases.new)
    status, said = go(Steps(clone), releases.new)
    assert status == 0, said
    assert "The remote's tags are here." in said
    clone.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    status, said = go(Steps(clone), releases.old)
    assert status == 0, said
    assert "The remote's newest tags are unknown" in said
