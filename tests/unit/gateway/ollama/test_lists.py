"""The gateway's models in the shapes that Ollama's clients read."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ollama_recorder import FOLDER, load
from synapse_gateway.config import Model
from synapse_gateway.ollama import bare, ps, show, tags, version

RECORDED = load(FOLDER / "0.24.0.json")


def model(name: str, **given: Any) -> Model:
    own = {"name": name, "kind": "chat", "engine": "vllm", "url": "http://x/v1", "served_name": "x"}
    return Model.model_validate(own | given)


MODELS = {
    "coder": model("coder", context=4096, capabilities=["tools", "vision", "reasoning", "json"]),
    "minilm": model("minilm", kind="embedding", engine="ollama"),
    "whisper": model("whisper", kind="transcription", engine="speaches"),
}


def test_tags_list_what_this_api_can_ask() -> None:
    told = tags(MODELS)["models"]
    assert [one["name"] for one in told] == ["coder", "minilm"]
    assert [one["model"] for one in told] == ["coder", "minilm"]
    assert len({one["digest"] for one in told}) == 2


def test_shapes_are_those_of_ollama() -> None:
    for name, told in (("tags", tags(MODELS)), ("ps", ps(MODELS))):
        recorded = json.loads(RECORDED[name].text)["models"][0]
        for one in told["models"]:
            assert kinds(one) == kinds(recorded)
            for key in ("modified_at", "expires_at"):
                if key in one:
                    assert datetime.fromisoformat(one[key]).tzinfo is not None
    assert kinds(version()) == kinds(json.loads(RECORDED["version"].text))


def test_show_tells_context_and_capabilities() -> None:
    told = show(
        MODELS["coder"], {"temperature": 0.2, "max_output_tokens": 99, "system": "Be brief."}
    )
    architecture = told["model_info"]["general.architecture"]
    assert told["model_info"][f"{architecture}.context_length"] == 4096
    assert told["capabilities"] == ["completion", "tools", "vision", "thinking"]
    assert told["parameters"] == "num_ctx 4096\ntemperature 0.2\nnum_predict 99"
    assert show(MODELS["minilm"], {})["capabilities"] == ["embedding"]


def test_names_with_the_tag_for_none() -> None:
    assert bare("coder:latest") == "coder"
    assert bare("coder:7b") == "coder:7b"


def kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: kinds(inner) for key, inner in value.items()}
    return type(value)
