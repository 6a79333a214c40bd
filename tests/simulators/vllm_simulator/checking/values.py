"""Values that are refused though their types are right, each in vLLM's words."""

import math
from http import HTTPStatus
from typing import Any

from vllm_simulator.checking.fields import ChatRequest, CompletionRequest
from vllm_simulator.checking.reading import invalid
from vllm_simulator.http_errors import RefusedError, refusal, wrong_value
from vllm_simulator.settings import Settings

_TOKENIZER = "TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]"
_CHOICES = ("none", "auto", "required")


def check_model(model: str | None, settings: Settings) -> None:
    """Refuse a model that is not served; none at all means the one that is."""
    if model and model != settings.model:
        aliases = f" Valid aliases: {settings.model}." if settings.behaviour.is_newest else ""
        sentence = f"The model `{model}` does not exist.{aliases}"
        raise refusal(sentence, "model", status=HTTPStatus.NOT_FOUND)


def check_stops(name: str, stops: str | list[str] | None, settings: Settings) -> None:
    """Refuse more texts to stop at than the engine's environment allows."""
    most = settings.max_stop_strings
    if not (settings.behaviour.limits_stops and isinstance(stops, list) and len(stops) > most):
        return
    told = {"loc": (name,), "input": stops}
    few: dict[str, Any] = {
        "type": "too_long",
        "msg": f"List should have at most {most} items after validation, not {len(stops)}",
        "ctx": {"field_type": "List", "max_length": most, "actual_length": len(stops)},
    }
    text: dict[str, Any] = {"type": "string_type", "msg": "Input should be a valid string"}
    forms = [text, few] if name == "stop" else [few]  # OpenAI's may be one text too
    raise invalid([{**form, **told} for form in forms])


def check_sampling(asked: ChatRequest | CompletionRequest, settings: Settings) -> None:
    """Refuse numbers that make no sense."""
    if asked.stream_options is not None and not asked.stream:
        raise wrong_value(
            "Stream options can only be defined when `stream=True`.", "stream_options"
        )
    limits = {"max_tokens": asked.max_tokens}
    if isinstance(asked, ChatRequest):
        limits["max_completion_tokens"] = asked.max_completion_tokens
    for name, limit in limits.items():
        if limit is not None and limit > settings.max_model_len:
            most = "" if settings.behaviour.is_newest else "max_total_tokens="
            sentence = f"{name}={limit} cannot be greater than max_model_len={most}"
            raise wrong_value(
                f"{sentence}{settings.max_model_len}. Please request fewer output tokens.",
                name,
                limit,
            )
    if asked.n is not None and asked.n < 1:
        raise refusal(f"n must be at least 1, got {asked.n}.")
    _check_numbers(asked.temperature, asked.top_p, asked.max_tokens)


def _check_numbers(temperature: float | None, top_p: float | None, limit: int | None) -> None:
    if temperature is not None and not math.isfinite(temperature):
        sentence = f"temperature must be a finite number, got {temperature}."
        raise wrong_value(sentence, "temperature", temperature)
    if temperature is not None and temperature < 0:
        sentence = f"temperature must be non-negative, got {temperature}."
        raise wrong_value(sentence, "temperature", temperature)
    if top_p is not None and not 0 < top_p <= 1:
        raise wrong_value(f"top_p must be in (0, 1], got {top_p}.", "top_p", top_p)
    if limit is not None and limit < 1:
        raise wrong_value(f"max_tokens must be at least 1, got {limit}.", "max_tokens", limit)


def check_chat(asked: ChatRequest, settings: Settings) -> None:
    """Refuse conversations that no template takes, and tools that are not there."""
    for place, message in enumerate(asked.messages):
        _check_content(place, message, settings)
    _check_tools(asked)
    if not asked.messages:
        raise refusal(
            "Cannot apply chat template to an empty conversation. Provide at least one message."
        )


def _check_content(place: int, message: Any, settings: Settings) -> None:
    content = message.get("content", "")
    if content is None and message.get("role") == "assistant":
        return
    if not isinstance(content, str | list):
        # vLLM tries every sort of message; this is the first of what it found.
        loc = ("messages", place, "ChatCompletionDeveloperMessageParam", "content")
        told = {"type": "string_type", "msg": "Input should be a valid string"}
        raise invalid([{**told, "loc": loc, "input": content}])
    if isinstance(content, list):
        check_parts(content, "image_url", settings)
        return
    try:
        content.encode()
    except UnicodeEncodeError:
        raise refusal(_TOKENIZER) from None


def check_parts(content: Any, picture: str, settings: Settings) -> None:
    """Refuse a content that has parts of this type, which is a picture's."""
    parts = content if isinstance(content, list) else []
    if any(part.get("type") == picture for part in parts):
        raise refusal(f"{settings.model} is not a multimodal model")


def _check_tools(asked: ChatRequest) -> None:
    choice = asked.tool_choice
    if choice is None or choice == "none":
        return
    if not asked.tools:
        raise wrong_value("When using `tool_choice`, `tools` must be set.", "tool_choice")
    if isinstance(choice, dict):
        names = [tool["function"]["name"] for tool in asked.tools]
        if choice.get("function", {}).get("name") not in names:
            raise wrong_value(
                "The tool specified in `tool_choice` does not match any of the specified `tools`",
                "tool_choice",
            )
    elif choice not in _CHOICES:
        raise wrong_value(
            f"Invalid value for `tool_choice`: {choice}! Only named tools, "
            '"none", "auto" or "required" are supported.',
            "tool_choice",
        )


def check_length(tokens: int, limit: int | None, settings: Settings) -> None:
    """Refuse what does not fit into the context."""
    error = _too_long(tokens, limit, settings)
    if error is not None:
        raise error


def _too_long(tokens: int, limit: int | None, settings: Settings) -> RefusedError | None:
    most = settings.max_model_len
    head = f"This model's maximum context length is {most} tokens. However, "
    wanted = limit or 0
    # What writes needs room for a word at least; what only reads does not.
    room = 1 if settings.kind == "generate" else 0
    if tokens + room > most and (settings.behaviour.is_newest or not wanted):
        least = min(tokens, most + 1)
        return wrong_value(
            f"{head}your prompt contains at least {least} input tokens, which exceeds this limit "
            "even without any output tokens. Please reduce the length of the input prompt.",
            "input_tokens",
            least,
        )
    if tokens + wanted > most and not settings.behaviour.is_newest:
        least = most + 1 - wanted
        return wrong_value(
            f"{head}you requested {wanted} output tokens and your prompt contains at least {least} "
            f"input tokens, for a total of at least {most + 1} tokens. Please reduce the length of "
            "the input prompt or the number of requested output tokens.",
            "input_tokens",
            least,
        )
    return None
