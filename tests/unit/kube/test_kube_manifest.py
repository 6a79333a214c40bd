"""Rendered text becomes objects that can be applied, or a sentence that says why not."""

from typing import Any

import pytest
import yaml

from synapse_deploy.kube.manifests import (
    OWNER_LABEL,
    VERSION_LABEL,
    ManifestError,
    prepare,
    to_text,
)

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
NAMESPACE = CONFIG.replace("ConfigMap", "Namespace").replace("name: a", "name: space")


def prepared(*texts: str | None) -> list[dict[str, Any]]:
    return prepare(texts, "ollama", "llm-infra", "0.1.0")


def test_every_object_gets_owner_version_and_namespace() -> None:
    space, config = prepared(CONFIG, NAMESPACE)
    assert config["metadata"] == {
        "name": "a",
        "labels": {OWNER_LABEL: "ollama", VERSION_LABEL: "0.1.0"},
        "namespace": "llm-infra",
    }
    assert "namespace" not in space["metadata"]


def test_what_others_need_comes_first() -> None:
    deployment = CONFIG.replace("ConfigMap", "Deployment")
    kinds = [found["kind"] for found in prepared(deployment, CONFIG, NAMESPACE)]
    assert kinds == ["Namespace", "ConfigMap", "Deployment"]


@pytest.mark.parametrize("nothing", [None, "", "---\n", "# nothing\n"])
def test_template_that_renders_nothing_is_no_object(nothing: str | None) -> None:
    assert prepared(nothing) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "ollama: the rendered text is not YAML"),
        ("just text", "ollama: a rendered document is no object: 'just text'"),
        ("kind: ConfigMap\nmetadata: {name: a}", "ollama: a rendered ConfigMap lacks apiVersion"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {}}",
            "ollama: a rendered ConfigMap lacks metadata",
        ),
        (CONFIG + "---\n" + CONFIG, "ollama: ConfigMap a is rendered twice"),
    ],
    ids=["no-yaml", "no-object", "no-version", "no-name", "twice"],
)
def test_text_that_is_no_object_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ManifestError) as caught:
        prepared(text)
    assert str(caught.value).startswith(sentence)


def test_written_text_reads_back_as_the_same_objects() -> None:
    found = prepared(CONFIG, NAMESPACE)
    assert list(yaml.safe_load_all(to_text(found))) == found
