"""LiteLLM is gone, or there is none: what needs it falls back or says so, all else is as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from every_dialect import ASKED, reason, words
from free_ports import free_ports
from gateway_process import Gateway, started
from openai_stub import OpenAIStub

HELLO = "Hello from the stub"
STRAIGHT = [
    *(("lonely", path) for path in ASKED),
    *(("cpu", path) for path in ASKED if path not in ("/v1/responses", "/v1/messages")),
]
VECTORS = {"/v1/embeddings": {"input": "x"}, "/api/embed": {"input": "x"}}


@pytest.fixture(scope="module", params=["stopped", "none"])
def without(
    request: pytest.FixtureRequest,
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    gateway_config: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    """A gateway whose LiteLLM does not run, or whose configuration names none."""
    port, metrics_port, dead_port = free_ports(3)
    dead = f"http://127.0.0.1:{dead_port}/v1"
    config = {**gateway_config, "translator": {"url": dead, "key_variable": "LITELLM_KEY"}}
    config["settings"] = {**config["settings"], "port": port, "metrics_port": metrics_port}
    config["models"] = [
        each | ({"url": dead} if each.get("via_litellm") else {}) for each in config["models"]
    ]
    if request.param == "none":
        del config["translator"]
    running = Gateway(tmp_path_factory.mktemp("without"), config)
    with started(running):
        yield running


@pytest.fixture
def alone(without: Gateway) -> Iterator[httpx.Client]:
    """A client of that gateway."""
    headers = {"authorization": "Bearer sk-synapse-free"}
    with httpx.Client(base_url=without.url, headers=headers, timeout=30) as made:
        yield made


def ask(client: httpx.Client, path: str, model: str, **more: Any) -> httpx.Response:
    """Send a short request."""
    return client.post(path, json={"model": model, **ASKED[path], **more})


@pytest.mark.parametrize(("model", "path"), STRAIGHT)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_local_models_are_served_as_before(
    alone: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, model: str, path: str, stream: bool
) -> None:
    answer = ask(alone, path, model, stream=stream)
    assert (answer.status_code, words(answer)) == (200, HELLO), answer.text
    assert answer.headers["x-synapse-model"] == model


@pytest.mark.parametrize("path", VECTORS)
@pytest.mark.parametrize("model", ["minilm", "embed-gpu"])
def test_local_vectors_too(
    alone: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, model: str, path: str
) -> None:
    answer = alone.post(path, json={"model": model, **VECTORS[path]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_outside_models_fall_back_or_are_unavailable(
    without: Gateway, alone: httpx.Client, cpu: OpenAIStub, stream: bool
) -> None:
    answer = ask(alone, "/v1/chat/completions", "far", stream=stream)
    assert (words(answer), answer.headers["x-synapse-model"]) == (HELLO, "cpu")
    assert without.line_of(answer.headers["x-request-id"])["reason"] == "unreachable"
    answer = ask(alone, "/v1/chat/completions", "cloud", stream=stream)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_a_dialect_that_an_engine_lacks_is_refused_by_name_or_unavailable(
    request: pytest.FixtureRequest, alone: httpx.Client, cpu: OpenAIStub, path: str
) -> None:
    answer = ask(alone, path, "cpu")
    none = "none" in request.node.callspec.id
    assert answer.status_code == (400 if none else 503), answer.text
    assert "'cpu'" in reason(answer)
    if none:
        assert path in reason(answer)
    assert cpu.received == []
