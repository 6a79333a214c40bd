"""What a body field may hold: types, and bounds on what multiplies an engine's work."""

from __future__ import annotations

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

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
YesNo = Annotated[bool, Field(strict=True)]
Chars = Annotated[str, Field(strict=True)]
Tokens = Annotated[Whole, Field(ge=1, le=TOKENS_AT_MOST)]
Choices = Annotated[Whole, Field(ge=1, le=CHOICES_AT_MOST)]
Likeliest = Annotated[Whole, Field(ge=0, le=LIKELIEST_AT_MOST)]
Penalty = Annotated[Number, Field(ge=-2, le=2)]
Share = Annotated[Number, Field(ge=0, le=1)]
Pattern = Annotated[Chars, Field(max_length=PATTERN_AT_MOST)]


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
    documents: Annotated[list[Any], Field(max_length=DOCUMENTS_AT_MOST)] | None = None
    guided_regex: Pattern | None = None
    guided_grammar: Pattern | None = None


def check(body: dict[str, Any]) -> None:
    """Raise Refusal, naming the parameter, for the first field that holds what it may not."""
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
    _check_patterns(body.get("structured_outputs"))


def _check_patterns(given: Any) -> None:
    for name in ("regex", "grammar"):
        pattern = given.get(name) if isinstance(given, dict) else None
        if isinstance(pattern, str) and len(pattern) > PATTERN_AT_MOST:
            place = f"structured_outputs.{name}"
            message = f"'{place}' must have at most {PATTERN_AT_MOST} characters."
            raise errors.malformed(message, place)
