"""How one finds out whether an Ollama refuses what is too long, and which penalties are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synapse_common.engines import Kind
from synapse_gateway.ollama.to_native import NOTHING_CUT
from synapse_gateway.ollama.wire import JSON

PENALTIES: Mapping[str, float] = {
    "presence_penalty": 0, "frequency_penalty": 0, "repetition_penalty": 1, "repeat_penalty": 1,
}  # fmt: skip
"""What clients call them, each with the value that changes nothing."""
WORD = "word "
"""At least one token in every model's vocabulary."""
MORE_WORDS = 1024
"""Beyond the context: a clear case."""


@dataclass(frozen=True)
class Check:
    """How a model of one kind is asked."""

    path: str
    load: JSON
    """Loads the model and asks for nothing."""
    field: str
    """Where the prompt stands."""

    def too_long(self, context: int) -> JSON:
        """Return a request that a context of so many tokens does not hold."""
        return {**self.load, self.field: WORD * (context + MORE_WORDS)}


CHAT = Check(
    "/api/generate",
    # Without a template: what is counted is this text alone, of any model.
    {"raw": True, "stream": False, "options": {"num_predict": 1}, **NOTHING_CUT},
    "prompt",
)
EMBEDDING = Check("/api/embed", {"input": [], "truncate": False}, "input")


def of_kind(kind: Kind) -> Check:
    """Return how a model of this kind is asked."""
    return EMBEDDING if kind == "embedding" else CHAT


def penalties(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the penalties that a body asks for, in either dialect."""
    options = fields.get("options")
    inner = _asked(options) if isinstance(options, dict) else []
    return (*_asked(fields), *(f"options.{name}" for name in inner))


def _asked(fields: Mapping[str, Any]) -> list[str]:
    given = fields.keys() & PENALTIES.keys()  # most requests have none
    return [name for name in given if fields[name] not in (None, PENALTIES[name])]
