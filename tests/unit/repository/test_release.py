"""One version in one place: the changelog, the tag and every role's licence agree with it."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from synapse_cli.version import age, shipped_version

ROOT = Path(__file__).parents[3]
ROLES = sorted((ROOT / "roles").glob("*/meta/main.yml"))


def headings() -> list[str]:
    return re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_changelog_begins_with_what_is_unreleased_and_its_newest_version_is_shipped() -> None:
    unreleased, *released = headings()
    assert unreleased == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", one) for one in released)
    versions = [one.split(" - ")[0] for one in released]
    assert versions[0] == shipped_version()
    assert versions == sorted(set(versions), key=age, reverse=True)


def test_a_checkout_at_a_tag_ships_that_version() -> None:
    listed = subprocess.run(
        ["git", "tag", "--points-at", "HEAD", "--list", "v*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert set(listed.stdout.split()) <= {f"v{shipped_version()}"}


@pytest.mark.parametrize("meta", ROLES, ids=lambda path: path.parts[-3])
def test_every_role_has_the_licence_of_the_repository(meta: Path) -> None:
    assert (ROOT / "LICENSE").read_text().startswith("Private - ArunLabs\n")
    assert yaml.safe_load(meta.read_text())["galaxy_info"]["license"] == "Proprietary"
