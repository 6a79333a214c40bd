"""Only known body fields travel on, whatever a client sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_common.refusals import Refusal
from synapse_gateway import fields

STEERING = [
    "api_base", "api_key", "base_url", "extra_headers", "extra_body", "fallbacks",
    "context_window_fallbacks", "metadata", "litellm_metadata", "mock_response", "num_retries",
    "timeout", "custom_llm_provider", "guardrails", "tags", "cache", "litellm_call_id",
    "model_info", "user_config", "prompt_id", "disable_fallbacks", "x-synapse-app", "keep_alive",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("name", STEERING)
def test_steering_fields_are_dropped_and_told(name: str) -> None:
    assert fields.clean({"model": "m", name: "x"}, fields.CHAT) == ({"model": "m"}, (name,))


@pytest.mark.parametrize("name", fields.REFUSED)
def test_what_would_change_the_queue_or_the_template_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        fields.clean({"model": "m", name: 1}, fields.CHAT)
    assert refused.value.param == name


@pytest.mark.parametrize("name", sorted(fields.TEMPLATE_KEYS))
def test_a_template_is_not_replaced_from_inside(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        fields.clean({"chat_template_kwargs": {name: "x"}}, fields.CHAT)
    assert refused.value.param == f"chat_template_kwargs.{name}"


@given(st.dictionaries(st.text() | st.sampled_from([*STEERING, *sorted(fields.CHAT)]), JSON))
def test_nothing_but_allowed_fields_survives(body: dict[str, Any]) -> None:
    try:
        kept, ignored = fields.clean(body, fields.CHAT)
    except Refusal:
        assert {"tools", "chat_template_kwargs", *fields.REFUSED} & body.keys()
        return
    dropped = {name for name, value in body.items() if value is not None} - set(kept)
    assert dropped <= set(ignored)
    assert all(name.startswith("stream_options.") for name in set(ignored) - dropped)
    assert set(kept) <= fields.CHAT
    assert all(body[name] == value for name, value in kept.items() if name != "stream_options")


def test_stream_options_hold_nothing_else() -> None:
    body = {"stream_options": {"include_usage": True, "mock_timeout": True}}
    kept, ignored = fields.clean(body, fields.CHAT)
    assert kept == {"stream_options": {"include_usage": True}}
    assert ignored == ("stream_options.mock_timeout",)


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "mcp", "server_url": "http://10.0.0.1"}],
        ["x"],
        [{"type": "code_interpreter"}],
        {"type": "function"},
    ],
    ids=["mcp", "text", "code", "no-list"],
)
def test_tools_that_the_client_does_not_run_are_refused(tools: Any) -> None:
    with pytest.raises(Refusal, match="tools"):
        fields.clean({"tools": tools}, fields.CHAT)


def test_a_client_may_have_its_text_spoken_as_it_is() -> None:
    body = {"model": "m", "input": "x", "normalize": False, "api_base": "http://elsewhere"}
    kept, ignored = fields.clean(body, fields.SPEECH)
    assert kept == {"model": "m", "input": "x", "normalize": False}
    assert ignored == ("api_base",)


def test_what_coding_agents_offer_to_every_model_is_left_out_and_told() -> None:
    own = {"type": "function", "name": "shell"}
    spaced = {"type": "namespace", "name": "mine", "tools": [own]}
    kept, ignored = fields.clean({"tools": [own, {"type": "web_search"}, spaced]}, fields.RESPONSES)
    assert kept == {"tools": [own, spaced]}
    assert ignored == ("tools[1].web_search",)
    inside = {"type": "namespace", "tools": [{"type": "mcp"}]}
    with pytest.raises(Refusal, match=r"tools\[0\].tools\[0\]"):
        fields.clean({"tools": [inside]}, fields.RESPONSES)
