"""What a request needs of a model is read in every dialect, and in no text."""

from __future__ import annotations

from typing import Any, cast

import pytest

from relayed import config, health, model
from synapse_common.bodies.budget import Held
from synapse_gateway.needs import needs
from synapse_gateway.relay.engines import Engines
from synapse_gateway.relay.ollama_facts import OllamaFacts
from synapse_gateway.relay.text import TextJob
from synapse_gateway.request import Request
from synapse_gateway.routes import ROUTES

Body = dict[str, Any]

SCHEMA = {"type": "object"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]
NEEDED: list[tuple[str, Body]] = [
    ("tools", {"tools": TOOLS}),
    ("tools", {"tools": TOOLS, "tool_choice": "auto"}),
    ("tools", {"tools": TOOLS, "tool_choice": {"type": "auto"}}),
    ("tools", {"functions": [{"name": "f"}]}),
    ("json", {"response_format": {"type": "json_object"}}),
    ("json", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}),
    ("json", {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ("json", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ("json", {"format": "json"}),
    ("json", {"format": SCHEMA}),
    ("json", {"guided_json": SCHEMA}),
    ("json", {"structured_outputs": {"json": SCHEMA}}),
    ("reasoning", {"reasoning_effort": "low"}),
    ("reasoning", {"reasoning": {"effort": "medium"}}),
    ("reasoning", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ("reasoning", {"think": True}),
    ("reasoning", {"think": "high"}),
    ("reasoning", {"chat_template_kwargs": {"enable_thinking": True}}),
]
NOTHING: list[Body] = [
    {},
    {"tools": []},
    {"tools": TOOLS, "tool_choice": "none"},
    {"tools": TOOLS, "tool_choice": {"type": "none"}},
    {"functions": [{"name": "f"}], "function_call": "none"},
    {"response_format": {"type": "text"}},
    {"text": {"format": {"type": "text"}}},
    {"text": {"verbosity": "low"}},
    {"format": ""},
    {"format": {}},
    {"reasoning_effort": "none"},
    {"reasoning": {"summary": "auto"}},
    {"thinking": {"type": "disabled"}},
    {"think": False},
    {"messages": [{"role": "user", "content": '{"tools": [1], "think": true}'}]},
    {"text": "tools", "reasoning": "high", "thinking": [1], "chat_template_kwargs": 3},
]


@pytest.mark.parametrize(("need", "body"), NEEDED)
def test_it_is_read_in_every_dialect(need: str, body: Body) -> None:
    assert needs(body) == {need}


@pytest.mark.parametrize("body", NOTHING)
def test_nothing_is_needed(body: Body) -> None:
    assert needs(body) == frozenset()


@pytest.mark.parametrize(("need", "body"), NEEDED)
@pytest.mark.parametrize(
    ("can", "suits"), [(None, True), ([], False), (["vision"], False), (["need"], True)]
)
def test_a_fallback_is_asked_unless_it_is_known_to_lack_it(
    need: str, body: Body, can: list[str] | None, suits: bool
) -> None:
    able = [need if one == "need" else one for one in can] if can is not None else None
    known = config(model("m", "vllm", "f"), model("f", "vllm", capabilities=able))
    asked = Request(ROUTES["/v1/responses"], "m", known.models["m"], body, 0)
    engines = Engines(known.settings, health(known))
    held = cast(Held, None)  # nothing is asked
    job = TextJob(asked, engines, known, OllamaFacts(engines), held)
    assert job.suits(known.models["f"]) == suits
