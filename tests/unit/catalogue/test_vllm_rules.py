"""Options of vLLM that Synapse sets itself are refused, however they are spelled."""

from typing import Any

import pytest

from synapse_deploy.catalogue.vllm_rules import NAME_LENGTH, OWN_OPTIONS, OWN_VARIABLES, vllm


def model(**keys: Any) -> dict[str, Any]:
    return {"name": "big", "engine": "vllm", "source": "owner/name", **keys}


def found(entry: dict[str, Any]) -> list[tuple[Any, str]]:
    return list(vllm({"synapse_models": [entry]}))


@pytest.mark.parametrize("option", OWN_OPTIONS)
@pytest.mark.parametrize("spelling", ["{}", "--{}", "no-{}"])
def test_own_options_are_refused(option: str, spelling: str) -> None:
    remedy = OWN_OPTIONS[option] or "take it out"
    for key in (spelling.format(option), spelling.format(option.replace("-", "_"))):
        assert found(model(engine_args={key: "x"})) == [
            (("synapse_models", 0, "engine_args", key), f"is set by Synapse itself; {remedy}")
        ]


@pytest.mark.parametrize("variable", sorted(OWN_VARIABLES))
def test_own_variables_are_refused(variable: str) -> None:
    path = ("synapse_models", 0, "environment", variable)
    told = found(model(environment={variable: "x"}))
    assert told == [(path, "is set by Synapse itself; take it out")]


@pytest.mark.parametrize("value", [True, 0, 4, 0.5, "fp8", ["a", "b"], {"method": "ngram"}])
def test_other_options_pass_with_any_value_that_can_be_written(value: Any) -> None:
    assert found(model(engine_args={"kv-cache-dtype": value})) == []


def test_other_engines_take_what_they_like() -> None:
    entry = {"name": "x" * 60, "engine": "ollama", "source": "a:1", "engine_args": {"num_ctx": 1}}
    assert found(entry) == []


def test_the_pods_labels_have_room_for_the_longest_name() -> None:
    revision = f"vllm-{'x' * NAME_LENGTH}-0123456789"  # label controller-revision-hash
    assert len(revision) <= 63


@pytest.mark.parametrize("junk", [None, 3, "text", [1], {3: 4}, {"a": object()}])
def test_no_junk_stops_the_check(junk: Any) -> None:
    for key in ("name", "source", "engine_args", "environment"):
        found(model(**{key: junk}))
