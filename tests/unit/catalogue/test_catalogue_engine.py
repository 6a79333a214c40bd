"""Options of vLLM that Synapse sets itself are refused, however they are spelled."""

from typing import Any

import pytest

from catalogue_engine import NAME_LENGTH, OWN_OPTIONS, OWN_VARIABLES, check_engine


def model(**keys: Any) -> dict[str, Any]:
    return {"name": "big", "engine": "vllm", "source": "owner/name", **keys}


@pytest.mark.parametrize("option", OWN_OPTIONS)
@pytest.mark.parametrize("spelling", ["{}", "--{}", "no-{}"])
def test_own_options_are_refused(option: str, spelling: str) -> None:
    for key in (spelling.format(option), spelling.format(option.replace("-", "_"))):
        (found,) = check_engine("model big", model(engine_args={key: "x"}))
        assert "itself" in found


@pytest.mark.parametrize("variable", sorted(OWN_VARIABLES))
def test_own_variables_are_refused(variable: str) -> None:
    (found,) = check_engine("model big", model(environment={variable: "x"}))
    assert found == f'model big: environment: Synapse sets "{variable}" itself'


@pytest.mark.parametrize("value", [True, 0, 4, 0.5, "fp8", ["a", "b"], {"method": "ngram"}])
def test_other_options_pass_with_any_value_that_can_be_written(value: Any) -> None:
    assert check_engine("model big", model(engine_args={"kv-cache-dtype": value})) == []


def test_other_engines_take_what_they_like() -> None:
    entry = {"name": "x" * 60, "engine": "ollama", "source": "a:1", "engine_args": {"num_ctx": 1}}
    assert check_engine("model x", entry) == []


def test_the_pods_labels_have_room_for_the_longest_name() -> None:
    revision = f"vllm-{'x' * NAME_LENGTH}-0123456789"  # label controller-revision-hash
    assert len(revision) <= 63


@pytest.mark.parametrize("junk", [None, 3, "text", [1], {3: 4}, {"a": object()}])
def test_no_junk_stops_the_check(junk: Any) -> None:
    for key in ("name", "source", "engine_args", "environment"):
        check_engine("model big", model(**{key: junk}))
