"""The fixtures are the specification: what must be accepted, and what must be refused and how."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from catalogue_check import problems
from catalogue_shape import DERIVED

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/catalogue"
INVALID = sorted((FIXTURES / "invalid").glob("*.yml"))
VALID = sorted((FIXTURES / "valid").glob("*.yml"))


def shipped() -> dict[str, Any]:
    """The variables in group_vars/all, as the user would edit them."""
    files = ("platform", "models", "aliases", "apps")
    texts = [(ROOT / f"group_vars/all/{name}.yml").read_text() for name in files]
    return {name: value for text in texts for name, value in yaml.safe_load(text).items()}


def site_of(path: Path) -> dict[str, Any]:
    """A site with nothing in its lists but what the fixture says."""
    nothing: dict[str, Any] = {"synapse_models": [], "synapse_aliases": [], "synapse_apps": []}
    return {**shipped(), **nothing, **yaml.safe_load(path.read_text())}


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_catalogue_is_refused_with_its_sentence(path: Path) -> None:
    expected = path.read_text().splitlines()[0].removeprefix("# ")
    found = problems(site_of(path))
    assert found[0] == expected
    assert len(set(found)) == (2 if path.stem.startswith("no-card") else 1)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_catalogue_is_accepted(path: Path) -> None:
    assert problems(site_of(path)) == []


def test_shipped_catalogue_is_accepted() -> None:
    assert problems(shipped()) == []


def test_all_faults_are_reported_at_once() -> None:
    paths = [path for path in INVALID if path.stem.startswith("unknown-")]
    merged = shipped() | {"synapse_models": [], "synapse_aliases": [], "synapse_apps": []}
    expected = []
    for number, path in enumerate(paths):
        text = path.read_text().replace("small", f"small{number}")
        expected.append(text.splitlines()[0].removeprefix("# "))
        for name, value in yaml.safe_load(text).items():
            for entry in value if isinstance(value, list) else []:
                entry["name"] = entry["name"].replace("jarvis", f"jarvis{number}")
                entry["name"] = entry["name"].replace("chat", f"chat{number}")
            merged[name] = [*merged[name], *value] if isinstance(value, list) else value
    found = " ".join(problems(merged))
    for number, sentence in enumerate(expected):
        sentence = sentence.replace("jarvis", f"jarvis{number}").replace(
            "alias chat", f"alias chat{number}"
        )
        assert sentence in found


@pytest.mark.parametrize("key", ["synapse_models", "synapse_aliases", "synapse_apps"])
@pytest.mark.parametrize(
    "junk", [None, 3, "text", [None], [[]], [{}], [{"name": None}], [{"name": ["x"]}], [{3: 4}]]
)
def test_no_junk_stops_the_check(key: str, junk: Any) -> None:
    assert problems({**shipped(), key: junk})


def test_derived_variables_are_those_of_the_wiring() -> None:
    wiring = yaml.safe_load((ROOT / "group_vars/all/wiring.yml").read_text())
    assert {name for name in wiring if name.startswith("synapse_")} == set(DERIVED)
    role = yaml.safe_load((ROOT / "roles/catalogue/vars/main.yml").read_text())
    assert set(role["__catalogue_derived"]) == set(DERIVED)
