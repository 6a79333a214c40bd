"""The registry of engine types: whole in itself, and the only place that tells them apart."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from synapse_common.engines import (
    ENGINES,
    KINDS,
    EngineName,
    EngineType,
    deployed,
    too_old,
)
from synapse_deploy.catalogue.entries import FIELDS, MODEL_TYPES

ROOT = Path(__file__).parents[3]
# vLLM's program and its user inside its container are called as the engine is.
OTHER_MEANINGS = {
    ("files/synapse_deploy/render/vllm.py", "vllm"),
    # What clients call whoever speaks OpenAI's API.
    ("files/synapse_deploy/clients/coding.py", "openai"),
    ("files/synapse_deploy/clients/open_webui.py", "openai"),
}


def test_every_name_has_an_entry() -> None:
    assert tuple(ENGINES) == get_args(EngineName) == tuple(MODEL_TYPES)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.name)
def test_an_entry_names_only_what_there_is(engine: EngineType) -> None:
    assert set(engine.fields) <= set(FIELDS)
    assert engine.kinds
    assert set(engine.kinds) <= set(KINDS)
    assert engine.dialects
    assert bool(engine.port) is not engine.is_outside
    assert bool(engine.url) is not engine.is_outside
    assert set(MODEL_TYPES[engine.name].model_fields) >= {"name", "kind", *engine.fields}


def test_no_field_is_described_that_no_engine_takes() -> None:
    assert set(FIELDS) == {field for engine in ENGINES.values() for field in engine.fields}


def test_whoever_is_deployed_is_told_by_somebody() -> None:
    """The arbiter tells of the GPU, Ollama has lists of its own, others list as OpenAI does."""
    for engine in deployed():
        own = engine.on_gpu or engine.models_from == "ollama"
        assert own or engine.lists_models_at, engine.name
        assert engine.on_gpu or engine.health_path, engine.name


def test_no_other_program_holds_the_name_of_an_engine() -> None:
    found = []
    for path in sorted(ROOT.glob("files/**/*.py")):
        name = str(path.relative_to(ROOT))
        if name == "files/synapse_common/engines.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            value = node.value if isinstance(node, ast.Constant) else None
            if value in ENGINES and (name, value) not in OTHER_MEANINGS:
                found.append(f"{name}: {value}")
    assert not found


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("0.31.9", True), ("v0.30.0-cu129", True), ("0.4", True), ("0.31.1rc1.dev608+g99a1", True),
        ("0.32.0", False), ("v0.32.0", False), ("0.100.1+cpu", False), ("1.0", False),
        ("26.03-py3", False), ("nightly", False), ("qwen38", False), ("", False), ("0", False),
        ("0.1.dev19754+g3a0914114", False),
    ],
)  # fmt: skip
def test_an_engine_older_than_the_oldest_is_known_by_its_version(version: str, old: bool) -> None:
    assert too_old(version) is old
