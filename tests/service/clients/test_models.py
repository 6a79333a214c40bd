"""What clients read about a model before they ask it, in each of the names that they know."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .conftest import CONTEXT


def listed(http: httpx.Client) -> dict[str, Any]:
    return {
        model["id"]: model for model in http.get("/v1/models").raise_for_status().json()["data"]
    }


@pytest.mark.parametrize("name", ["context_length", "max_model_len", "max_input_tokens"])
@pytest.mark.parametrize(("model", "tokens"), [("gpu-chat", CONTEXT), ("cpu-chat", 4096)])
def test_the_context_is_told(http: httpx.Client, model: str, tokens: int, name: str) -> None:
    assert listed(http)[model][name] == tokens
    assert http.get(f"/v1/models/{model}").json()[name] == tokens


def test_kind_and_capabilities_are_told(http: httpx.Client) -> None:
    models = listed(http)
    assert models["gpu-chat"]["kind"] == "chat"
    assert models["gpu-embed"]["kind"] == "embedding"
    assert models["gpu-rank"]["kind"] == "rerank"
    assert set(models["gpu-chat"]["capabilities"]) == {"tools", "json"}
    assert set(models["cpu-sees"]["capabilities"]) == {"vision"}


def test_an_alias_is_told_as_its_model_is(http: httpx.Client) -> None:
    alias, model = listed(http)["assistant"], listed(http)["gpu-chat"]
    assert alias["context_length"] == model["context_length"]
    assert alias["capabilities"] == model["capabilities"]


def test_an_application_sees_only_what_it_may_use(http: httpx.Client) -> None:
    narrow = {"authorization": "Bearer sk-synapse-narrow"}
    names = [model["id"] for model in http.get("/v1/models", headers=narrow).json()["data"]]
    assert names == ["cpu-alone"]
    tags = http.get("/api/tags", headers=narrow).json()["models"]
    assert [model["name"].partition(":")[0] for model in tags] == ["cpu-alone"]


def test_ollamas_routes_tell_it_too(http: httpx.Client) -> None:
    shown = http.post("/api/show", json={"model": "gpu-chat"}).json()
    assert "tools" in shown["capabilities"]
    lengths = [value for key, value in shown["model_info"].items() if "context_length" in key]
    assert lengths == [CONTEXT]
    assert http.get("/api/version").json()["version"]
