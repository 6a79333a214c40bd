"""One request as the engine sees it, and the record of the latest ones."""

import asyncio
from collections import deque
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from vllm_simulator.calling import Call


class Channel(Enum):
    """Where a piece of an answer belongs."""

    REASONING = "reasoning"
    TEXT = "text"
    CALL = "call"


@dataclass(frozen=True)
class Piece:
    """One token of an answer; the first of a call is empty: its name is known from there on."""

    channel: Channel
    text: str
    # Set in the last one: the last text and the reason of its end come together.
    finish_reason: str | None = None

    @classmethod
    def cut(cls) -> "Piece":
        """Make the end of an answer that the engine cut: no text, and its reason."""
        return cls(Channel.TEXT, "", "abort")


@dataclass
class Generation:
    """What a client asked for, and, once it ran, how that ended."""

    request_id: str
    prompt: str
    prompt_tokens: int
    max_tokens: int
    greedy: bool = False
    ignore_eos: bool = False
    # Of the answer: at most so much thinking, then this text or this call instead of its own words.
    thinking_tokens: int = 0
    dictated: str | None = None
    call: Call | None = None
    stop: tuple[str, ...] = ()
    choice: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    finish_reason: str | None = None
    stop_reason: str | None = None
    arrived_s: float = 0.0
    admitted_s: float | None = None
    ended_s: float | None = None

    @property
    def cut_while_waiting(self) -> bool:
        """Tell whether the request was aborted before it ran."""
        return self.finish_reason == "abort" and self.admitted_s is None

    def as_record(self) -> dict[str, Any]:
        """Describe the request for a test; times are the event loop's seconds."""
        record = asdict(self)
        record.pop("prompt")
        return record


@dataclass
class History:
    """The latest requests in order of arrival and in order of admission."""

    arrivals: deque[Generation] = field(default_factory=lambda: deque(maxlen=5000))
    admissions: deque[str] = field(default_factory=lambda: deque(maxlen=5000))

    def arrived(self, request: Generation) -> None:
        """Note that a request came in."""
        request.arrived_s = asyncio.get_running_loop().time()
        self.arrivals.append(request)

    def admitted(self, request: Generation) -> None:
        """Note that a request began to run."""
        request.admitted_s = asyncio.get_running_loop().time()
        self.admissions.append(request.request_id)

    def ended(self, request: Generation) -> None:
        """Note that a request left the engine."""
        request.ended_s = asyncio.get_running_loop().time()
