"""The list of checks: one for commits and `make lint`, which fetches nothing and finds things."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / ".pre-commit-config.yaml"
KIB = 1024
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n"
MERGE = "<<<<<<<" + " HEAD\n"


def hooks() -> list[dict[str, Any]]:
    (only,) = yaml.safe_load(CONFIG.read_text())["repos"]
    assert only["repo"] == "local"
    return list(only["hooks"])


def test_every_check_is_a_program_of_the_virtual_environment_or_of_pre_commit() -> None:
    for hook in hooks():
        assert hook["language"] in ("system", "pygrep"), hook["id"]
        if hook["language"] == "system":
            assert re.match(r"(env \S+ )?(\.venv/bin/|bash -c )", hook["entry"]), hook["id"]


def test_lint_runs_this_list_and_nothing_else() -> None:
    text = (ROOT / "Makefile").read_text()
    assert re.findall(r"^lint-\w+:\n\t@(.+)$", text, re.MULTILINE) == [
        "pre-commit run --all-files ansible-lint",
        "SKIP=ansible-lint pre-commit run --all-files",
    ]


@pytest.mark.parametrize(
    ("hook", "content"),
    [
        ("trailing-whitespace", "a line \n"),
        ("end-of-file", "a line"),
        ("merge-conflict", MERGE),
        ("private-key", KEY),
        ("large-file", "a line\n" * 100 * KIB),
    ],
)
def test_what_does_not_belong_into_a_commit_is_named(
    tmp_path: Path, hook: str, content: str
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    shutil.copy(CONFIG, tmp_path)
    (tmp_path / "bad.txt").write_text(content)
    (tmp_path / "good.txt").write_text("a line\n")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    run = subprocess.run(
        [Path(sys.executable).with_name("pre-commit"), "run", "--all-files", hook],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "bad.txt" in run.stdout
    assert "good.txt" not in run.stdout
