"""OpenAI's sampling fields as Ollama's options, and the fields that it cannot follow."""

from __future__ import annotations

from typing import Any

from synapse_gateway.ollama.asked import Asked

ENDLESS_TOKENS = 2**31 - 1
"""Ollama counts in 32 bits; no context is as large."""
MOST_LOGPROBS = 20
_ONE_ANSWER = "Ollama writes one answer for each request. Send several requests."
_NO_OPTION = "Ollama has no such option. Leave it out."
_GRAMMAR = "Ollama takes JSON schemas only. Use response_format with a json_schema."
# What may be asked only with the value that says what happens anyway, and why.
_ONLY: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((1,), _ONE_ANSWER),
    "best_of": ((1,), _ONE_ANSWER),
    "echo": ((False,), "Ollama returns only what it adds. Put the prompt before it yourself."),
    "logit_bias": (({},), _NO_OPTION),
    "stop_token_ids": (([],), "Ollama stops at texts only. Use stop."),
    "bad_words": (([],), _NO_OPTION),
    "include_stop_str_in_output": ((False,), _NO_OPTION),
    "truncate_prompt_tokens": ((), "a prompt is read whole here. Send a shorter one."),
    "add_generation_prompt": ((True,), _NO_OPTION),
    "continue_final_message": ((False,), _NO_OPTION),
    "guided_regex": ((), _GRAMMAR),
    "guided_choice": ((), _GRAMMAR),
    "guided_grammar": ((), _GRAMMAR),
    "functions": (([],), "it is OpenAI's old form. Use tools."),
    "function_call": (("auto", "none"), "it is OpenAI's old form. Use tools."),
    "store": ((False,), "no answer is kept here. Leave it out."),
    "modalities": ((["text"],), "Ollama answers in text only."),
}
# They tune an answer; it is one without them too, and the client is told in a header.
TOLD = (
    "ignore_eos", "min_tokens", "length_penalty", "verbosity", "skip_special_tokens",
    "spaces_between_special_tokens", "thinking_token_budget", "cache_salt",
)  # fmt: skip
# They change nothing about an answer.
_HARMLESS = (
    "model", "stream", "stream_options", "user", "metadata", "service_tier", "safety_identifier",
    "prompt_cache_key", "prediction",
)  # fmt: skip


def options(asked: Asked) -> dict[str, Any]:
    """Return the options; what is not asked for is as Ollama's own /v1 sets it."""
    penalties = ("presence_penalty", "frequency_penalty")
    found = {
        "temperature": _or(asked.number("temperature", 0), 1.0),
        "top_p": _or(asked.number("top_p", 0, 1), 1.0),
        "top_k": asked.integer("top_k", -1),
        "min_p": asked.number("min_p", 0, 1),
        "typical_p": asked.number("typical_p", 0, 1),
        "seed": asked.integer("seed"),
        "repeat_penalty": _above_0(asked, "repetition_penalty"),
        "num_predict": _limit(asked),
        "stop": _stop(asked),
    } | {name: asked.number(name, -2, 2) for name in penalties}
    return {name: value for name, value in found.items() if value is not None}


def refuse_the_rest(asked: Asked) -> tuple[str, ...]:
    """Refuse by name what nobody translated, unless its value changes nothing.

    Returns the names of what only tunes an answer, and is left out.
    """
    told = []
    for name in asked.left():
        if name in TOLD:
            told.append(name)
        elif name not in _HARMLESS:
            asked.only(name, *_ONLY.get(name, ((), _NO_OPTION)))
    return tuple(told)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _above_0(asked: Asked, name: str) -> float | None:
    value = asked.number(name)
    if value is not None and value <= 0:
        raise asked.wrong(name, "a number above 0")
    return value


def _limit(asked: Asked) -> int | None:
    """Return the smallest of the limits; to Ollama 0 would mean none at all."""
    limits = (asked.integer(name, 1) for name in ("max_tokens", "max_completion_tokens"))
    given = [limit for limit in limits if limit is not None]
    return min(*given, ENDLESS_TOKENS) if given else None


def _stop(asked: Asked) -> list[str] | None:
    """Return the texts; an empty one would end every answer before its first word."""
    stop = asked.texts("stop")
    if stop and "" in stop:
        raise asked.wrong("stop", "a text or a list of texts, none of them empty")
    return stop or None
