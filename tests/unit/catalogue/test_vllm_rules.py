"""Options of vLLM that Synapse sets itself are refused, however they are spelled."""

from typing import Any

import pytest

from synapse_deploy.catalogue.vllm_rules import (
    NAME_LENGTH,
    OWN_OPTIONS,
    OWN_VARIABLES,
    version,
    vllm,
)

DIGEST = f"sha256:{'0' * 64}"


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


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/vllm/vllm-openai:v0.31.2",
        f"docker.io/vllm/vllm-openai:v0.31.2@{DIGEST}",
        "registry:5000/vllm:v0.31.2",
        "vllm:v0.31.2",
    ],
)
def test_an_image_that_is_too_old_is_refused(image: str) -> None:
    assert list(version({"vllm_image": image})) == [
        (
            ("vllm_image",),
            '"v0.31.2" is older than vLLM 0.32, which Synapse needs at least; name a newer image, '
            "or take the line out",
        )
    ]


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/vllm/vllm-openai:v0.32.0",
        "docker.io/vllm/vllm-openai:nightly",
        f"docker.io/vllm/vllm-openai@{DIGEST}",
        "registry-0.1:5000/vllm",
        "",
        None,
        3,
    ],
)
def test_an_image_that_tells_no_version_is_accepted(image: Any) -> None:
    assert list(version({"vllm_image": image})) == []


EXACT = {"PYTORCH_ALLOC_CONF": "pinned_max_round_threshold_mb:1"}


def test_exact_pins_are_refused_where_they_break_sleeping() -> None:
    site = {"vllm_image": "vllm/vllm-openai:v0.32.1", "synapse_models": [model(environment=EXACT)]}
    assert list(version(site)) == [
        (
            ("synapse_models", 0, "environment", "PYTORCH_ALLOC_CONF"),
            "makes every sleep after the first wake fail before vLLM 0.33 (pytorch #192722), and "
            'vllm_image is "v0.32.1"; take it out, or name a newer image',
        )
    ]
    assert list(version({**site, "synapse_models": [model()]})) == []
    other = {"name": "small", "engine": "ollama", "environment": EXACT}
    assert list(version({**site, "synapse_models": [other]})) == []


@pytest.mark.parametrize("tag", ["v0.33.0", "v1.0.0", "nightly"])
def test_exact_pins_pass_where_torch_can_do_them(tag: str) -> None:
    models = [model(environment=EXACT)]
    image = f"docker.io/vllm/vllm-openai:{tag}"
    assert list(version({"vllm_image": image, "synapse_models": models})) == []


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
