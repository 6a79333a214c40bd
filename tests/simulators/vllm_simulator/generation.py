"""One request as the engine sees it, and the record of the latest ones."""

import asyncio
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Generation:
    """What a client asked for, and, once it ran, how that ended."""

    request_id: str
    prompt: str
    prompt_tokens: int
    max_tokens: int
    greedy: bool = False
    ignore_eos: bool = False
    completion_tokens: int = 0
    finish_reason: str | None = None
    arrived_s: float = 0.0
    admitted_s: float | None = None
    ended_s: float | None = None

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
