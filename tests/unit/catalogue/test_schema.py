"""What is written from the models of a site: the editors' schema, the reference, the comments."""

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from synapse_deploy.catalogue import options
from synapse_deploy.catalogue.__main__ import written
from synapse_deploy.catalogue.check import site_model
from synapse_deploy.catalogue.reference import page
from synapse_deploy.catalogue.schema import site_schema

ROOT = Path(__file__).parents[3]
FILES = sorted(ROOT.glob("inventory/examples/*/group_vars/all/*.yml"))
SCHEMA = site_schema()
WRITTEN = written()


def faults(data: Any) -> list[str]:
    """What a JSON-schema library says of one file."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.json_path for error in validator.iter_errors(data)]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_written_is_not_stale(path: Path) -> None:
    assert path.read_text() == WRITTEN[path], "run make schema"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_an_example_names_the_schema_and_keeps_to_it(path: Path) -> None:
    first, _, rest = path.read_text().partition("\n")
    named = first.removeprefix("# yaml-language-server: $schema=")
    # From an example as well as from its copy, which lies one folder higher.
    copied = os.path.normpath(ROOT / "inventory/site/group_vars/all" / named)
    assert (path.parent / named).resolve() == Path(copied) == ROOT / "inventory/site.schema.json"
    assert faults(yaml.safe_load(rest)) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"synapse_gateway_prot": 1}, "$"),
        ({"vllm_ofline": True}, "$"),
        ({"gateway_transcription_concurrency": -3}, "$.gateway_transcription_concurrency"),
        ({"synapse_gpus": [{"vram_gb": 3}]}, "$.synapse_gpus"),
        ({"synapse_aliases": [{"name": "chat"}]}, "$.synapse_aliases"),
        ({"synapse_apps": [{"name": "a", "models": []}]}, "$.synapse_apps"),
        ({"arbiter_limits": {"drain": 3}}, "$.arbiter_limits"),
    ],
)
def test_a_broken_file_is_seen_by_the_schema(change: dict[str, Any], place: str) -> None:
    assert faults(change) == [place]


@pytest.mark.parametrize("key", ["contxt", "vram_gib", "voices"])
def test_a_key_of_nothing_or_of_another_engine_is_seen(key: str) -> None:
    model = {"name": "small", "engine": "ollama", "source": "small:1b"}
    assert faults({"synapse_models": [model]}) == []
    assert faults({"synapse_models": [{**model, key: 4}]}) == ["$.synapse_models"]


def test_a_template_may_stand_for_any_value_and_a_users_own_variable_beside() -> None:
    assert faults({"synapse_cpu_cores": "{{ my_cores }}", "my_cores": 4}) == []


def test_the_reference_names_every_option_once_and_its_default() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    for name in site_model().model_fields:
        if name in ("synapse_models", "synapse_aliases", "synapse_apps"):
            continue
        (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
        default = options.defaults().get(name)
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert f"optional, {default}" in row


def test_examples_differ_from_the_defaults_in_whatever_they_write() -> None:
    facts = options.facts()
    for path in FILES:
        if path.name == "platform.yml":
            for name, value in yaml.safe_load(path.read_text()).items():
                assert value != facts[name].default, f"{path}: {name}"
