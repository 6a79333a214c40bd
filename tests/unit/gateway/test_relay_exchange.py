"""How each engine is asked in each dialect: straight, in Ollama's words, by LiteLLM, or not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from relayed import Says, config, model, relay, request
from synapse_common.engines import TRANSLATED
from synapse_common.refusals import Refusal
from synapse_gateway.relay.exchange import exchange
from synapse_gateway.routes import ROUTES

Body = dict[str, Any]

HI = [{"role": "user", "content": "hi"}]
NATIVE = {"/api/chat", "/api/generate", "/api/embed", "/api/embeddings"}
OPENAIS = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings"}
ANY_ENGINE = OPENAIS | {"/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/rerank"}
VLLMS = ANY_ENGINE | {"/v1/score", "/tokenize", "/detokenize"}
BODIES: dict[str, Body] = {
    "/v1/chat/completions": {"messages": HI, "n": 1},
    "/v1/completions": {"prompt": "hi"},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": HI, "max_tokens": 5},
    "/v1/messages/count_tokens": {"messages": HI},
    "/v1/embeddings": {"input": ["hi", "ho"]},
    "/v1/rerank": {"query": "hi", "documents": ["hi", "ho"]},
    "/v1/score": {"text_1": "hi", "text_2": "ho"},
    "/tokenize": {"prompt": "hi"},
    "/detokenize": {"tokens": [1]},
    "/api/chat": {"messages": HI, "stream": False},
    "/api/generate": {"prompt": "hi", "stream": False},
    "/api/embed": {"input": "hi"},
    "/api/embeddings": {"prompt": "hi"},
}
KINDS = {
    "/v1/embeddings": "embedding", "/api/embed": "embedding", "/api/embeddings": "embedding",
    "/v1/rerank": "rerank", "/v1/score": "rerank",
}  # fmt: skip
LITELLM = {"url": "http://litellm:4000/v1", "key_variable": "LITELLM_KEY"}
# Where each engine is asked, by the client's path; what is missing is refused.
STRAIGHT = {path: path.removeprefix("/v1") for path in ANY_ENGINE}
ROOT = {path: f"/{path}" for path in ("/tokenize", "/detokenize")}
FROM_NATIVE = {
    "/api/chat": "/chat/completions", "/api/generate": "/chat/completions",
    "/api/embed": "/embeddings", "/api/embeddings": "/embeddings",
}  # fmt: skip
TO_NATIVE = {
    "/v1/chat/completions": "//api/chat", "/v1/completions": "//api/generate",
    "/v1/embeddings": "//api/embed",
}  # fmt: skip
ASKED_AT: dict[str, dict[str, str]] = {
    "vllm": STRAIGHT | ROOT | {"/v1/score": "/score"} | FROM_NATIVE,
    "ollama": TO_NATIVE | {path: f"/{path}" for path in NATIVE},
    "openai": STRAIGHT | FROM_NATIVE,
    "litellm": STRAIGHT | FROM_NATIVE,
}
CASES = [(engine, path) for engine in ASKED_AT for path in BODIES]


def known(engine: str, path: str, **more: Any) -> Any:
    kind = KINDS.get(path, "chat")
    via = {"via_litellm": engine in ("openai", "litellm"), "via_arbiter": engine == "vllm"}
    return config(model("m", engine, kind=kind, **via), **more)


@pytest.mark.parametrize(("engine", "path"), CASES)
def test_each_engine_is_asked_in_its_own_words_or_not_at_all(engine: str, path: str) -> None:
    models = known(engine, path)
    asked = request(path, {"model": "m", **BODIES[path]}, models)
    where = ASKED_AT[engine].get(path)
    if where is None:
        with pytest.raises(Refusal) as refused:
            exchange(asked, asked.model)
        assert (refused.value.status, refused.value.code) == (400, "unsupported_route")
        assert path in refused.value.message
        assert "'m'" in refused.value.message
        return
    found = exchange(asked, asked.model)
    body = orjson.loads(b"".join(found.body))
    assert found.path == where
    assert body["model"] == "served-m"
    assert ("disable_fallbacks" in body) == (engine in ("openai", "litellm"))
    if path not in NATIVE and where == path.removeprefix("/v1"):
        own = {"model": "served-m", "disable_fallbacks": True}
        assert {key: value for key, value in body.items() if key not in own} == BODIES[path]


@pytest.mark.parametrize(("engine", "path"), CASES)
def test_what_an_engine_lacks_litellm_translates_where_it_can(engine: str, path: str) -> None:
    models = known(engine, path, translator=LITELLM)
    asked = request(path, {"model": "m", **BODIES[path]}, models)
    own = ASKED_AT[engine].get(path)
    by_litellm = own is None and asked.route.dialect in TRANSLATED
    out = relay(asked, {"m": ConnectionError()}, models)
    if own is None and not by_litellm:
        assert out.refusal is not None
        assert out.refusal.code == "unsupported_route"
        assert out.sent == []
        return
    (sent,) = out.sent
    assert sent.model.url == (LITELLM["url"] if by_litellm else "http://engine:8000/v1")
    if by_litellm:
        assert sent.body == {**BODIES[path], "model": "m", "disable_fallbacks": True}
        assert sent.headers["x-synapse-app"] == "app", "the arbiter behind it is told who asks"


@pytest.mark.parametrize("path", sorted(VLLMS - ANY_ENGINE))
def test_behind_litellm_no_engine_has_more_than_litellm(path: str) -> None:
    models = config(model("m", "vllm", kind=KINDS.get(path, "chat"), via_litellm=True))
    asked = request(path, {"model": "m", **BODIES[path]}, models)
    with pytest.raises(Refusal) as refused:
        exchange(asked, asked.model)
    assert refused.value.code == "unsupported_route"


@pytest.mark.parametrize("path", sorted(OPENAIS - {"/v1/embeddings"}))
@pytest.mark.parametrize("wanted", [True, False])
def test_a_stream_of_openais_is_asked_for_its_counts(path: str, wanted: bool) -> None:
    models = known("vllm", path)
    more: Body = {"stream_options": {"include_usage": True}} if wanted else {}
    body = {"model": "m", **BODIES[path], "stream": True, **more}
    asked = request(path, body, models)
    sent = orjson.loads(b"".join(exchange(asked, asked.model).body))
    assert sent["stream_options"] == {"include_usage": True}
    assert asked.usage_wanted is wanted


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_a_stream_of_others_is_asked_for_nothing_more(path: str) -> None:
    models = known("vllm", path)
    asked = request(path, {"model": "m", **BODIES[path], "stream": True}, models)
    sent = orjson.loads(b"".join(exchange(asked, asked.model).body))
    assert sent == {**BODIES[path], "stream": True, "model": "served-m"}


def test_a_request_that_only_loads_a_model_asks_no_engine() -> None:
    models = known("vllm", "/api/chat")
    asked = request("/api/chat", {"model": "m", "stream": False}, models)
    out = relay(asked, {}, models)
    assert out.sent == []
    assert orjson.loads(out.heard)["done_reason"] == "load"


@pytest.mark.parametrize("capabilities", [[], ["reasoning"]])
def test_a_model_that_does_not_think_is_not_told_to_stop(capabilities: list[str]) -> None:
    models = config(model("m", "vllm", capabilities=capabilities))
    body = {"model": "m", "messages": HI, "think": False}
    asked = request("/api/chat", body, models)
    sent = orjson.loads(b"".join(exchange(asked, asked.model).body))
    assert sent.get("reasoning_effort") == ("none" if capabilities else None)


@pytest.mark.parametrize("engine", ["vllm", "ollama"])
@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
def test_fewer_vectors_than_texts_are_a_part(engine: str, path: str) -> None:
    models = known(engine, path)
    asked = request(path, {"model": "m", "input": ["hi", "ho"]}, models)
    one, two = b'{"data":[%s]}', b'{"data":[%s,{"index":1,"embedding":[2]}]}'
    one, two = (body % b'{"index":0,"embedding":[1]}' for body in (one, two))
    if engine == "ollama":
        one, two = b'{"embeddings":[[1]]}', b'{"embeddings":[[1],[2]]}'
    assert not relay(asked, {"m": Says([one])}, models).is_whole
    assert relay(asked, {"m": Says([two])}, models).is_whole


def test_every_route_for_text_is_tried_here() -> None:
    assert {path for path, route in ROUTES.items() if not route.is_audio} == set(BODIES)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat"])
@pytest.mark.parametrize(("tools", "code"), [(9000, 0), (0, 30_000)], ids=["tools", "text"])
def test_litellm_gets_no_more_structure_than_it_works_through(
    path: str, tools: int, code: int
) -> None:
    models = known("openai", path)
    text = '{"a": [1]}' * code
    told = {**BODIES[path], "messages": [{"role": "user", "content": text or "hi"}]}
    schema = {"properties": {f"p{n}": {} for n in range(tools)}, "a": [{}] * tools}
    function = {"name": "f", "parameters": schema}
    tool = {"type": "function", "function": function, "name": "f", "input_schema": schema}
    asked = request(path, {"model": "m", **told, "tools": [tool]}, models)
    if tools:
        with pytest.raises(Refusal, match="at most 40000 objects, lists and keys"):
            exchange(asked, asked.model)
    else:
        assert exchange(asked, asked.model)
