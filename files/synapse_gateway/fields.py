"""The body fields that may reach an engine, by route.

An allow-list, because engines give meaning to many more: addresses, keys, templates, priorities.
A field that is not in it is refused where it would change the answer or the queue, and else told
in a response header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_gateway import errors

_SAMPLING = {
    "model", "stream", "stream_options", "user",
    "max_tokens", "temperature", "top_p", "n", "stop", "seed",
    "presence_penalty", "frequency_penalty", "logit_bias", "logprobs",
}  # fmt: skip
_VLLM = {
    "top_k", "min_p", "typical_p", "repetition_penalty", "length_penalty", "min_tokens",
    "stop_token_ids", "bad_words", "ignore_eos", "skip_special_tokens",
    "spaces_between_special_tokens", "include_stop_str_in_output", "truncate_prompt_tokens",
    "add_generation_prompt", "continue_final_message", "chat_template_kwargs",
    "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
    "prompt_logprobs", "allowed_token_ids", "return_token_ids", "return_tokens_as_token_ids",
    "thinking_token_budget", "documents", "cache_salt", "add_special_tokens", "include_reasoning",
}  # fmt: skip

CHAT = frozenset(
    _SAMPLING | _VLLM | {
        "messages", "max_completion_tokens", "top_logprobs", "response_format", "tools",
        "tool_choice", "parallel_tool_calls", "functions", "function_call",
        "reasoning_effort", "verbosity", "think",
    }
)  # fmt: skip
COMPLETION = frozenset(_SAMPLING | _VLLM | {"prompt", "suffix", "echo", "best_of"})
RESPONSES = frozenset({
    "model", "input", "instructions", "stream", "stream_options",
    "include", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls",
    "reasoning", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
    "truncation", "user", "top_k", "seed", "repetition_penalty", "stop", "ignore_eos",
    "skip_special_tokens", "presence_penalty", "frequency_penalty", "cache_salt",
})  # fmt: skip
COUNT_TOKENS = frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking"})
MESSAGES = COUNT_TOKENS | {
    "max_tokens", "metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p",
    "output_config", "chat_template_kwargs",
}  # fmt: skip
EMBEDDING = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
RERANK = frozenset({"model", "query", "documents", "top_n", "max_tokens_per_doc"})
SCORE = frozenset({"model", "queries", "documents", "text_1", "text_2", "data_1", "data_2"})
TOKENIZE = frozenset({
    "model", "prompt", "messages", "add_special_tokens", "add_generation_prompt",
    "continue_final_message", "return_token_strs", "tools",
})  # fmt: skip
DETOKENIZE = frozenset({"model", "tokens"})
SPEECH = frozenset(
    {
        "model", "input", "voice", "response_format", "speed", "instructions", "stream_format",
        "normalize",
    }
)  # fmt: skip
TRANSLATION = frozenset({"model", "file", "prompt", "response_format", "temperature"})
TRANSCRIPTION = TRANSLATION | {
    "language", "timestamp_granularities[]", "timestamp_granularities", "stream",
}  # fmt: skip

REFUSED = {
    "priority": "an application's priority is set by the operator, in apps.yml",
    "chat_template": "a model's template is set by the operator",
}
"""Fields that engines know and clients may not set."""

UNKEPT = {
    "previous_response_id": "no answer is kept here: send the whole conversation as 'input'",
    "background": "nothing is answered later: ask without it",
    "conversation": "no conversation is kept here: send all of it as 'input'",
}
"""What OpenAI's later API would have to remember."""

_NEVER = REFUSED | UNKEPT
# What a client may hold in each of these, whatever else the engines' own APIs know.
_NESTED = {"stream_options": {"include_usage"}}
TEMPLATE_KEYS = {"chat_template", "tokenize", "return_dict", "tools", "documents", "messages"}
"""Not to be set by chat_template_kwargs: the engine sets them, or they replace the template."""
_CLIENTS_TOOLS = {"function", "custom", "local_shell", "shell", "apply_patch"}
"""Tools that run where the client is; an engine or LiteLLM would call all others itself."""
_ANTHROPICS = ("bash_", "text_editor_", "computer_", "memory_")
"""Anthropic's own tools that the client runs, by the beginning of their types."""
_SEARCHES = ("web_search", "web_fetch")
"""What coding agents offer to every model, and none here has: left out, and told."""


def clean(
    told: Mapping[str, Any], allowed: frozenset[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the body with only the allowed fields, and the names of the others.

    Raises Refusal for what would change the queue or the template, and for tools that call out of
    here.
    """
    given = {key: value for key, value in told.items() if value is not None}
    for key, why in _NEVER.items():
        if given.get(key) not in (None, False):
            raise errors.malformed(f"'{key}' cannot be set: {why}.", key)
    kept = {key: value for key, value in given.items() if key in allowed}
    ignored = given.keys() - kept.keys()
    for key, inner in _NESTED.items():
        if isinstance(kept.get(key), dict):
            ignored |= {f"{key}.{name}" for name in kept[key].keys() - inner}
            kept[key] = {name: value for name, value in kept[key].items() if name in inner}
    _check_template(kept.get("chat_template_kwargs"))
    if "tools" in kept:
        kept["tools"], searches = _tools(kept["tools"], "tools")
        ignored |= searches
    return kept, tuple(sorted(ignored))


def _check_template(given: Any) -> None:
    name = "chat_template_kwargs"
    if given is None:
        return
    if not isinstance(given, dict):
        raise errors.malformed(f"'{name}' must be an object.", name)
    for key in given:
        if key in TEMPLATE_KEYS:
            raise errors.malformed(f"'{name}.{key}' cannot be set.", f"{name}.{key}")


def _tools(tools: Any, place: str) -> tuple[list[Any], set[str]]:
    """Return the tools that the client runs, and the places of those that are left out."""
    if not isinstance(tools, list):
        raise errors.malformed(f"'{place}' must be a list.", "tools")
    kept: list[Any] = []
    left_out: set[str] = set()
    for index, tool in enumerate(tools):
        kind = tool.get("type", "function") if isinstance(tool, dict) else None
        if str(kind).startswith(_SEARCHES):
            left_out.add(f"{place}[{index}].{kind}")
            continue
        if kind == "namespace":
            _tools(tool.get("tools"), f"{place}[{index}].tools")
        elif kind not in _CLIENTS_TOOLS and not str(kind).startswith(_ANTHROPICS):
            message = f"{place}[{index}]: only tools that the client runs are served, not '{kind}'."
            raise errors.malformed(message, "tools")
        kept.append(tool)
    return kept, left_out
