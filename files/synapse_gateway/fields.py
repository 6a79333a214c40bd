"""The body fields that may reach an engine: OpenAI's own plus sampling extras of vLLM and Ollama.

An allow-list, because LiteLLM gives meaning to many more (addresses, keys, fallbacks, mock
answers): a client that sends them is served as if it had not.
"""

from __future__ import annotations

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
}  # fmt: skip

CHAT = frozenset(
    _SAMPLING | _VLLM | {
        "messages", "max_completion_tokens", "top_logprobs", "response_format", "tools",
        "tool_choice", "parallel_tool_calls", "functions", "function_call",
        "reasoning_effort", "verbosity", "think",
    }
)  # fmt: skip
COMPLETION = frozenset(_SAMPLING | _VLLM | {"prompt", "suffix", "echo", "best_of"})
EMBEDDING = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
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

# What a client may hold in each of these, whatever else the engines' own APIs know.
_NESTED = {"stream_options": {"include_usage"}}


def clean(body: dict[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    """Return the body with only the allowed fields; refuse tools that call out of here."""
    kept = {key: value for key, value in body.items() if key in allowed and value is not None}
    for key, inner in _NESTED.items():
        if isinstance(kept.get(key), dict):
            kept[key] = {name: value for name, value in kept[key].items() if name in inner}
    _check_tools(kept.get("tools"))
    return kept


def _check_tools(tools: Any) -> None:
    # LiteLLM itself would connect to the server that a tool of type "mcp" names.
    if tools is None:
        return
    if not isinstance(tools, list):
        raise errors.malformed("'tools' must be a list.", "tools")
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise errors.malformed(f"tools[{index}]: only type 'function' is served.", "tools")
