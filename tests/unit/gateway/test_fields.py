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
    "timeout", "custom_llm_provider", "guardrails", "tags", "cache", "litellm_call_id", "priority",
    "model_info", "user_config", "prompt_id", "disable_fallbacks", "x-synapse-app", "keep_alive",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("name", STEERING)
def test_steering_fields_are_dropped(name: str) -> None:
    assert fields.clean({"model": "m", name: "x"}, fields.CHAT) == {"model": "m"}


@given(st.dictionaries(st.text() | st.sampled_from([*STEERING, *sorted(fields.CHAT)]), JSON))
def test_nothing_but_allowed_fields_survives(body: dict[str, Any]) -> None:
    try:
        kept = fields.clean(body, fields.CHAT)
    except Refusal:
        assert body["tools"] is not None
        return
    assert set(kept) <= fields.CHAT
    assert all(body[name] == value for name, value in kept.items() if name != "stream_options")


def test_stream_options_hold_nothing_else() -> None:
    body = {"stream_options": {"include_usage": True, "mock_timeout": True}}
    assert fields.clean(body, fields.CHAT) == {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    "tools",
    [[{"type": "mcp", "server_url": "http://10.0.0.1"}], ["x"], [{}], {"type": "function"}],
    ids=["mcp", "text", "typeless", "no-list"],
)
def test_tools_that_are_no_functions_are_refused(tools: Any) -> None:
    with pytest.raises(Refusal, match="tools"):
        fields.clean({"tools": tools}, fields.CHAT)


def test_a_client_may_have_its_text_spoken_as_it_is() -> None:
    body = {"model": "m", "input": "x", "normalize": False, "api_base": "http://elsewhere"}
    assert fields.clean(body, fields.SPEECH) == {"model": "m", "input": "x", "normalize": False}
