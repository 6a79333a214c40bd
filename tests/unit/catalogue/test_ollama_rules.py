"""An Ollama that cuts is refused by its tag, and one that forgets penalties is told."""

from __future__ import annotations

from typing import Any

import pytest

from synapse_deploy.catalogue import check
from synapse_deploy.catalogue.ollama_rules import ollama, penalties

DIGEST = "sha256:" + "a" * 64


def texts(rule: Any, image: Any) -> list[str]:
    return [text for path, text in rule({"ollama_image": image}) if path == ("ollama_image",)]


@pytest.mark.parametrize("tag", ["0.12.5", "v0.12.6", "0.9.2"])
def test_one_that_cuts_is_refused(tag: str) -> None:
    (text,) = texts(ollama, f"docker.io/ollama/ollama:{tag}@{DIGEST}")
    assert text == (
        f'"{tag}" is older than Ollama 0.13 and would cut long requests without a word; name a '
        "newer image, or take the line out"
    )
    assert texts(penalties, f"ollama:{tag}") == [], "one fault is enough"


@pytest.mark.parametrize("tag", ["0.13.0", "0.24.0", "0.29.9"])
def test_one_that_forgets_penalties_is_told_and_no_fault(tag: str) -> None:
    assert texts(ollama, f"ollama:{tag}") == []
    (text,) = texts(penalties, f"ollama:{tag}")
    assert "older than Ollama 0.30" in text
    assert penalties in check.WARNINGS


@pytest.mark.parametrize(
    "image", ["ollama:0.30.0", "ollama:0.40.12", "ollama:latest", f"ollama@{DIGEST}", "", None, 3]
)
def test_any_other_is_accepted(image: Any) -> None:
    assert texts(ollama, image) + texts(penalties, image) == []
