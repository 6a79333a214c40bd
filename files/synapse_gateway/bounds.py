"""What a body field may hold: types, and bounds on what multiplies an engine's work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synapse_common.engines import STOPS_AT_MOST
from synapse_common.words import kind, predicate
from synapse_gateway import errors

CHOICES_AT_MOST = 16
LIKELIEST_AT_MOST = 20
"""Alternatives of a token: OpenAI's own bound."""
DOCUMENTS_AT_MOST = 1024
PATTERN_AT_MOST = 16 * 1024
"""Characters of a grammar or a regular expression, which an engine compiles."""
TOKENS_AT_MOST = 10_000_000
FIELDS_AT_MOST = 256
COUNTED = {
    "messages": 4096, "tools": 1024, "functions": 1024, "images": 256, "queries": 1024,
    "documents": DOCUMENTS_AT_MOST, "text_1": 1024, "text_2": 1024, "data_1": 1024, "data_2": 1024,
}  # fmt: skip
"""How many entries a list may have that is walked through one by one."""
INNER = ("content", "tool_calls", "images")
INNER_AT_MOST = 8192
"""Parts, calls and pictures of all messages together."""
INPUTS_AT_MOST = 4096
"""Texts, messages, or lists of tokens in one field; a single list of tokens may be longer."""

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
YesNo = Annotated[bool, Field(strict=True)]
Chars = Annotated[str, Field(strict=True)]
Tokens = Annotated[Whole, Field(ge=1, le=TOKENS_AT_MOST)]
Choices = Annotated[Whole, Field(ge=1, le=CHOICES_AT_MOST)]
Likeliest = Annotated[Whole, Field(ge=0, le=LIKELIEST_AT_MOST)]
Penalty = Annotated[Number, Field(ge=-2, le=2)]
Share = Annotated[Number, Field(ge=0, le=1)]


class Bounds(BaseModel):
    """The fields whose values are judged here; all others are the engine's to judge."""

    model_config = ConfigDict(extra="ignore")

    stream: YesNo = False
    n: Choices | None = None
    best_of: Choices | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    min_tokens: Annotated[Whole, Field(ge=0, le=TOKENS_AT_MOST)] | None = None
    truncate_prompt_tokens: Annotated[Whole, Field(ge=-1, le=TOKENS_AT_MOST)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=100)] | None = None
    top_p: Share | None = None
    min_p: Share | None = None
    top_k: Whole | None = None
    seed: Whole | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repetition_penalty: Annotated[Number, Field(gt=0, le=100)] | None = None
    logprobs: YesNo | Likeliest | None = None
    top_logprobs: Likeliest | None = None
    prompt_logprobs: Likeliest | None = None
    stop: Chars | Annotated[list[Chars], Field(max_length=STOPS_AT_MOST)] | None = None
    stop_sequences: Annotated[list[Chars], Field(max_length=STOPS_AT_MOST)] | None = None
    dimensions: Annotated[Whole, Field(ge=1, le=65536)] | None = None
    top_n: Annotated[Whole, Field(ge=1)] | None = None
    documents: list[Any] | None = None
    guided_regex: Chars | None = None
    guided_grammar: Chars | None = None


def check_names(body: Mapping[str, Any]) -> None:
    """Raise Refusal for a body of more fields than any API has."""
    if len(body) > FIELDS_AT_MOST:
        raise errors.malformed(f"The body must have at most {FIELDS_AT_MOST} fields.")


def check_counts(body: Mapping[str, Any]) -> None:
    """Raise Refusal for a list with more entries than are taken, whatever they are."""
    for name in COUNTED.keys() & body.keys():
        _check_count(body[name], name, COUNTED[name])
    for name in ("input", "prompt"):
        given = body.get(name)
        if isinstance(given, list) and given and not isinstance(given[0], int):
            _check_count(given, name, INPUTS_AT_MOST)
    told = body.get("messages")
    lists = [each.get(name) for each in _objects(told) for name in INNER]
    if sum(len(each) for each in lists if isinstance(each, list)) > INNER_AT_MOST:
        message = f"'messages' must hold at most {INNER_AT_MOST} parts, calls and pictures."
        raise errors.malformed(message, "messages")


def check(body: Mapping[str, Any], length: Callable[[str], int] = len) -> None:
    """Raise Refusal, naming the parameter, for the first field that holds what it may not.

    `length` says how many characters a text has that may be shortened.
    """
    check_counts(body)
    try:
        Bounds.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        wanted = kind(first["type"])
        why = f"must be {wanted}" if wanted else predicate(first, "")
        raise errors.malformed(f"'{name}' {why}.", name) from None
    if body.get("encoding_format", "float") not in ("float", "base64"):
        message = "'encoding_format' must be float or base64."
        raise errors.malformed(message, "encoding_format")
    _check_patterns(body, length)


def _objects(given: Any) -> list[dict[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _check_count(given: Any, name: str, limit: int) -> None:
    if isinstance(given, list) and len(given) > limit:
        message = f"'{name}' must have at most {limit} entries; send several requests."
        raise errors.malformed(message, name)


def _check_patterns(body: Mapping[str, Any], length: Callable[[str], int]) -> None:
    told = {name: body.get(name) for name in ("guided_regex", "guided_grammar")}
    inner = body.get("structured_outputs")
    if isinstance(inner, dict):
        told |= {f"structured_outputs.{name}": inner.get(name) for name in ("regex", "grammar")}
    for place, pattern in told.items():
        if isinstance(pattern, str) and length(pattern) > PATTERN_AT_MOST:
            message = f"'{place}' must have at most {PATTERN_AT_MOST} characters."
            raise errors.malformed(message, place)
