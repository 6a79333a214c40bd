"""The paths of the engines' API: how their answers are judged, counted, and errors written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synapse_common.answers import dialects, judges
from synapse_common.answers.judges import Fields


def one(fields: Fields) -> int:
    """Say that a request asks for one answer."""
    return 1


def choices(fields: Fields) -> int:
    """Return how many choices a conversation asks for."""
    wanted = fields.get("n")
    return wanted if type(wanted) is int and wanted > 0 else 1


def completions(fields: Fields) -> int:
    """Return how many choices all prompts together ask for."""
    return choices(fields) * _inputs(fields.get("prompt"))


def vectors(fields: Fields) -> int:
    """Return how many vectors are asked for; none when they come as raw bytes."""
    in_bytes = str(fields.get("encoding_format")).startswith("bytes")
    return 0 if in_bytes else _inputs(fields.get("input"))


def _inputs(given: Any) -> int:
    """Count the inputs in a field that holds one or a list; a list of numbers is one, of tokens."""
    several = isinstance(given, list) and given and not isinstance(given[0], int)
    return len(given) if several else 1


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of one path."""

    judge: Callable[[int], judges.Judge]
    answers: Callable[[Fields], int] = one
    """How many choices or vectors a body asks for."""
    dialect: dialects.OpenAI = dialects.OPENAI
    hides_aborts: bool = False
    """The engine calls an aborted answer whole: only its counters tell."""


# Of an engine on the GPU nothing else is ever asked.
ENDPOINTS = {
    "/v1/chat/completions": Endpoint(judges.Choices, choices),
    "/v1/completions": Endpoint(judges.Choices, completions),
    "/v1/responses": Endpoint(judges.Responses, one, dialects.RESPONSES, hides_aborts=True),
    "/v1/messages": Endpoint(judges.Messages, one, dialects.ANTHROPIC),
    "/v1/messages/count_tokens": Endpoint(judges.Counts, dialect=dialects.ANTHROPIC),
    "/v1/embeddings": Endpoint(judges.Entries, vectors),
    "/v1/rerank": Endpoint(judges.Entries),
    "/v1/score": Endpoint(judges.Entries),
    "/tokenize": Endpoint(judges.Counts),
    "/detokenize": Endpoint(judges.Counts),
    "/v1/audio/speech": Endpoint(judges.Speech),
    "/v1/audio/transcriptions": Endpoint(judges.Transcript),
    "/v1/audio/translations": Endpoint(judges.Transcript),
}
