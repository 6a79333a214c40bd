"""What clients read about a model before they ask it, in each of the names that they know."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway_process import until
from openai_stub import OpenAIStub, native_answers

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


@pytest.mark.parametrize(
    ("app", "shown"),
    [
        ("named", {"assistant", "cpu-alone", "gpu-embed"}),
        ("menu", {"assistant"}),
        ("curious", {"assistant", "gpu-chat", "cpu-chat"}),
    ],
)
def test_what_is_shown_is_a_choice_of_what_may_be_used(
    http: httpx.Client, app: str, shown: set[str]
) -> None:
    http.headers["authorization"] = f"Bearer sk-synapse-{app}"
    assert set(listed(http)) == shown
    tags = http.get("/api/tags").raise_for_status().json()["models"]
    assert {model["name"] for model in tags} == shown


@pytest.mark.parametrize("model", ["cpu-alone", "gpu-chat", "gpu-embed"])
def test_what_is_not_shown_can_be_used_all_the_same(http: httpx.Client, model: str) -> None:
    http.headers["authorization"] = "Bearer sk-synapse-menu"
    assert model not in listed(http)
    assert http.get(f"/v1/models/{model}").json()["name"] == model
    assert http.post("/api/show", json={"model": model}).json()["capabilities"]
    path, asked = "/v1/embeddings", {"input": "hi"}
    if model != "gpu-embed":
        path, asked = "/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}  # type: ignore[dict-item]
    assert http.post(path, json={"model": model, **asked}).status_code == 200


def test_every_model_says_whether_it_is_loaded(
    http: httpx.Client, cpu: OpenAIStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open WebUI shows `loaded` as a green dot."""
    in_memory = [{**native_answers.LISTED, "name": "cpu-alone:latest"}]
    monkeypatch.setitem(native_answers.LISTS["/api/ps"], "models", in_memory)
    asked = {"model": "gpu-chat", "messages": [{"role": "user", "content": "hi"}]}
    http.post("/v1/chat/completions", json=asked).raise_for_status()

    def loaded() -> set[str]:
        plain = {name: model for name, model in listed(http).items() if "preset" not in model}
        return {name for name, model in plain.items() if model["status"]["value"] == "loaded"}

    # Nobody tells of `gpu-bare`, as of what is outside, whether it has to be loaded.
    wanted = {"gpu-chat", "assistant", "cpu-alone", "piper", "gpu-bare"}
    until(lambda: loaded() == wanted, 10, lambda: str(loaded()))
    assert {model["status"]["value"] for model in listed(http).values()} == {"loaded", "unloaded"}
    running = {model["name"] for model in http.get("/api/ps").json()["models"]}
    assert running >= {"gpu-chat", "assistant", "cpu-alone"}
    assert "cpu-chat" not in running


def test_ollamas_routes_tell_it_too(http: httpx.Client) -> None:
    shown = http.post("/api/show", json={"model": "gpu-chat"}).json()
    assert "tools" in shown["capabilities"]
    lengths = [value for key, value in shown["model_info"].items() if "context_length" in key]
    assert lengths == [CONTEXT]
    assert http.get("/api/version").json()["version"]
