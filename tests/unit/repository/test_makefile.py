"""`make help`: every target that a user types, on one screen."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINES, COLUMNS = 40, 80


def test_help_shows_every_target_with_a_sentence_on_one_screen() -> None:
    text = (ROOT / "Makefile").read_text()
    public = re.findall(r"^([a-z][a-z0-9-]*):.*## (.+)$", text, re.MULTILINE)
    phony = {name for line in re.findall(r"^\.PHONY: (.+)$", text, re.M) for name in line.split()}
    assert {name for name, _ in public} <= phony
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    assert [line[8:].split()[0] for line in shown] == [name for name, _ in public]
    for line, (_, sentence) in zip(shown, public, strict=True):
        assert line.endswith(sentence)
        assert sentence.endswith(".")
        assert len(line) <= COLUMNS, line
    assert len(shown) <= LINES


def test_every_group_has_a_heading_and_none_comes_twice() -> None:
    text = (ROOT / "Makefile").read_text()
    groups = re.findall(r"^##@ (.+)$", text, re.MULTILINE)
    assert len(groups) == len(set(groups))
    assert text.index("##@") < text.index(": setup ##")


def test_the_names_that_users_know_are_there() -> None:
    text = (ROOT / "Makefile").read_text()
    for name in ("deploy-infra", "deploy-ollama", "test-health"):
        assert re.search(rf"^{name}: .*## ", text, re.MULTILINE), name


@pytest.mark.parametrize(("said", "purges"), [("1", True), ("0", False), ("no", False)])
def test_volumes_are_removed_only_where_that_was_said(said: str, purges: bool) -> None:
    words = ["make", "--dry-run", "uninstall", f"PURGE={said}", "YES=forge"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"purge={str(purges).lower()}" in told
    assert 'confirmed="forge"' in told
