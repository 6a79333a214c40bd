"""The gateway's own configuration: permissions, and faults told all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synapse_gateway.config import MASTER, ConfigError, build, load

MODELS = [
    {"name": "gpu", "kind": "chat", "backend": "vllm", "fallbacks": ["cpu"], "scheduled": True},
    {"name": "cpu", "kind": "chat", "backend": "ollama", "fallbacks": ["cloud"]},
    {"name": "cloud", "kind": "chat", "backend": "openai"},
    {"name": "other", "kind": "chat", "backend": "openai"},
]


def raw(**changes: Any) -> dict[str, Any]:
    """Return a good configuration with some changes."""
    apps = [{"name": "app", "models": ["chat"]}]
    good = {"models": MODELS, "aliases": [{"name": "chat", "model": "gpu"}], "apps": apps}
    return good | changes


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (["chat"], {"chat", "gpu", "cpu", "cloud"}),
        (["gpu"], {"gpu", "cpu", "cloud"}),
        (["cloud"], {"cloud"}),
        (["*"], {"chat", "gpu", "cpu", "cloud", "other"}),
        ([], set()),
    ],
    ids=["alias", "chain", "alone", "everything", "nothing"],
)
def test_permission_includes_alias_target_and_fallbacks(
    models: list[str], expected: set[str]
) -> None:
    config = build(raw(apps=[{"name": "app", "models": models}]))
    assert config.permitted["app"] == expected


def test_a_chain_goes_on_to_its_end_and_names_nobody_twice() -> None:
    models = [
        {"name": name, "kind": "chat", "backend": "x", "fallbacks": fallbacks}
        for name, fallbacks in {"a": ["b", "c"], "b": ["d", "c"], "c": [], "d": ["b"]}.items()
    ]
    config = build(raw(models=models, aliases=[], apps=[]))
    assert [model.name for model in config.chain(config.models["a"])] == ["a", "b", "d", "c"]


def test_the_operator_may_ask_for_everything() -> None:
    assert build(raw()).permitted[MASTER] == {"chat", "gpu", "cpu", "cloud", "other"}


def test_every_fault_is_told() -> None:
    bad = raw(
        settings={"prot": 1},
        models=[
            *MODELS,
            {"name": "lost", "kind": "chat", "backend": "x", "fallbacks": ["gone"]},
            {"name": "deaf", "kind": "transcription", "backend": "x"},
        ],
        aliases=[{"name": "chat", "model": "nobody"}],
        apps=[{"name": MASTER, "models": ["nothing"]}],
    )
    with pytest.raises(ConfigError) as refused:
        build(bad)
    assert str(refused.value).splitlines() == [
        "settings: 'prot' is not known",
        "model lost: fallback 'gone' is no model",
        "model deaf: a model of kind transcription needs its address",
        "alias chat: 'nobody' is no model",
        "app synapse-master: the name is kept for the operator's key",
        "app synapse-master: 'nothing' is neither a model nor an alias",
    ]


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("models: [")
    with pytest.raises(ConfigError, match=r"gateway\.yaml: cannot be read"):
        load(file)
