"""What a stub does with the requests for one model, and what it remembers of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Behaviour:
    """How one model answers; the default is a short, correct answer at once."""

    status: int = 200
    """Any other status than 200 is answered with an error body and `retry_after_s`, if set."""
    message: str = "the stub was told to fail"
    detail: str | None = None
    """Words of the error in FastAPI's shape, as Speaches puts them."""
    retry_after_s: int | None = None
    first_token_after_s: float = 0.0
    between_tokens_s: float = 0.0
    words: tuple[str, ...] = ("Hello", " from", " the", " stub")
    finish_reason: str | None = "stop"
    hangs: bool = False
    """Accepts the request and never answers."""
    hangs_after_words: int | None = None
    """Streams this many words and then nothing more, with the connection open."""
    dies_after_words: int | None = None
    """Streams this many words and then drops the connection."""
    ends_after_words: int | None = None
    """Streams this many words and ends the answer properly, but without finish reason or [DONE]."""
    crashes: bool = False
    """Fails as Speaches does over what it does not expect: status 500 with no word of why, and a
    stream breaks off after its head."""
    body: Any = None
    """What is answered as JSON instead of a transcript, or of where somebody speaks."""
    forgets_text: bool = False
    """Ends a streamed transcript with an empty text, as Speaches does."""
    context_tokens: int | None = None
    """Words of messages and tools beyond which Ollama's native API refuses; None: any number."""
    cuts: bool = False
    """Takes no notice of the switches of Ollama's native API, as 0.12.5 does."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """One request as it arrived at the stub."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    filename: str | None = None
    """What an uploaded file is called."""
