"""The fixtures are the specification: what must be accepted, and what must be refused and how."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from synapse_deploy.catalogue import check
from synapse_deploy.catalogue.check import DERIVED
from synapse_deploy.catalogue.facts import Facts

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/catalogue"
INVALID = sorted((FIXTURES / "invalid").glob("*.yml"))
VALID = sorted((FIXTURES / "valid").glob("*.yml"))


def sentence_of(text: str) -> str:
    """The fault that a file is about: the comment that it begins with."""
    lines = itertools.takewhile(lambda line: line.startswith("# "), text.splitlines())
    return " ".join(line.removeprefix("# ") for line in lines)


EXAMPLES = sorted(path.parent for path in ROOT.glob("inventory/examples/*/hosts.yml"))
DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "group_vars/all/defaults.yml").read_text())


def problems(site: dict[str, Any]) -> list[str]:
    """Every fault of a site, as a user is told it but for the file."""
    return [one.text for one in (*check.unknown(site), *check.problems(site))]


def example(folder: Path) -> dict[str, Any]:
    """The variables of an example site, as they would be after `make init`."""
    texts = [path.read_text() for path in sorted(folder.glob("group_vars/all/*.yml"))]
    written = {name: value for text in texts for name, value in yaml.safe_load(text).items()}
    return {**DEFAULTS, **written}


def nothing() -> dict[str, Any]:
    """A site with one GPU and nothing in its lists."""
    lists: dict[str, Any] = {"synapse_models": [], "synapse_aliases": [], "synapse_apps": []}
    return {**DEFAULTS, "synapse_gpus": [{"vram_gib": 31.4}], **lists}


def site_of(path: Path) -> dict[str, Any]:
    """A site with nothing in its lists but what the fixture says."""
    return {**nothing(), **yaml.safe_load(path.read_text())}


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_catalogue_is_refused_with_its_sentence(path: Path) -> None:
    expected = sentence_of(path.read_text())
    found = problems(site_of(path))
    assert found[0] == expected
    assert len(set(found)) == (2 if path.stem.startswith("no-gpu") else 1)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_catalogue_is_accepted(path: Path) -> None:
    assert problems(site_of(path)) == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_every_example_is_accepted_with_and_without_its_gpu(folder: Path) -> None:
    assert problems(example(folder)) == []
    assert problems({**example(folder), "synapse_gpus": []}) == []


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_volumes_hold_every_model_of_an_example(folder: Path) -> None:
    site = example(folder)
    stores = {"vllm": "synapse_gpu_store_gib", "ollama": "synapse_cpu_store_gib"}
    for engine, store in stores.items():
        models = [model for model in site["synapse_models"] if model["engine"] == engine]
        assert sum(model["disk_gib"] for model in models) < site[store]


def test_all_faults_are_reported_at_once() -> None:
    paths = [path for path in INVALID if path.stem.startswith("unknown-")]
    merged = nothing()
    expected = []
    for number, path in enumerate(paths):
        text = path.read_text().replace("small", f"small{number}")
        expected.append(sentence_of(text))
        for name, value in yaml.safe_load(text).items():
            for entry in value if isinstance(value, list) else []:
                if "name" not in entry:
                    continue
                entry["name"] = entry["name"].replace("jarvis", f"jarvis{number}")
                entry["name"] = entry["name"].replace("chat", f"chat{number}")
            lists = isinstance(value, list) and name != "synapse_gpus"
            merged[name] = [*merged[name], *value] if lists else value
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
    assert problems({**nothing(), key: junk})


def test_derived_variables_are_those_that_the_product_brings() -> None:
    files = [ROOT / f"group_vars/all/{name}.yml" for name in ("versions", "wiring")]
    brought = {name for file in files for name in yaml.safe_load(file.read_text())}
    assert {name for name in brought if name.startswith("synapse_")} == set(DERIVED)


def test_every_fact_has_its_default_and_no_other() -> None:
    assert set(DEFAULTS) == set(Facts.model_fields)
