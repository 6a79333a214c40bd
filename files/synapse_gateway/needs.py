"""What a request needs of a model beyond text, in whatever dialect it says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synapse_common.engines import Capability
from synapse_gateway import reasoning

CONSTRAINTS = ("guided_json", "structured_outputs")
"""vLLM's own fields for an answer of a given form."""


def needs(fields: Mapping[str, Any]) -> frozenset[Capability]:
    """Return what a body asks for: tools, JSON, reasoning; of pictures `media` knows."""
    return frozenset(_needs(fields))


def _needs(fields: Mapping[str, Any]) -> Iterator[Capability]:
    if (fields.get("tools") or fields.get("functions")) and not _declined(fields):
        yield "tools"
    if any(_is_json(form) for form in _forms(fields)) or any(map(fields.get, CONSTRAINTS)):
        yield "json"
    if any(_is_effort(wish) for wish in reasoning.efforts(fields)):
        yield "reasoning"


def _declined(fields: Mapping[str, Any]) -> bool:
    """Say whether the tools may not be called: OpenAI's and Anthropic's way."""
    choice = fields.get("tool_choice", fields.get("function_call"))
    return bool(choice == "none" or _inside({"choice": choice}, "choice", "type") == "none")


def _forms(fields: Mapping[str, Any]) -> Iterator[Any]:
    """Yield where a form is asked for: chat, responses, messages, Ollama's native API."""
    yield fields.get("response_format")
    yield _inside(fields, "text", "format")
    yield _inside(fields, "output_config", "format")
    yield fields.get("format")


def _is_json(form: object) -> bool:
    if not isinstance(form, Mapping):
        return form == "json"
    return bool(form) and form.get("type") != "text"


def _is_effort(wish: object) -> bool:
    return wish not in (None, False, "none", "disabled")


def _inside(fields: Mapping[str, Any], name: str, key: str) -> Any:
    holder = fields.get(name)
    return holder.get(key) if isinstance(holder, Mapping) else None
