"""docs/host.md claims nothing without a test: each that it names exists, each row has one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/host.md").read_text()
CLAIMS = TEXT.partition("## The inventory")[2].partition("## What others leave to you")[0]
# The rows of tables, without heads and rulers.
ROWS = [
    line
    for line in CLAIMS.splitlines()
    if line.startswith("|") and not re.match(r"\| (Point \||\| Reported)|\|---", line)
]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::([^`]+)`", CLAIMS)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    source = (ROOT / "tests" / path).read_text()
    is_row = name.startswith("[")
    wanted = f'"{name[1:-1]}":' if is_row else f"def {name}("
    assert wanted in source


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_its_test_or_says_why_there_is_none(row: str) -> None:
    assert ".py::" in row.rpartition("|")[0].rpartition("|")[2] or "not tried here: " in row


def test_every_acceptance_line_has_its_row() -> None:
    numbers = [int(found) for found in re.findall(r"^\| (\d+) \|", CLAIMS, re.MULTILINE)]
    assert numbers == list(range(1, 20))
