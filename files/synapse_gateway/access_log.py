"""Everything known about one request, filled in on its way; its end is one log line."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from synapse_common import protocol
from synapse_gateway.config import App, Model
from synapse_gateway.log_pipe import now

CLIENT_LEFT = 499
"""The status in logs and metrics of a request whose client did not wait for the answer."""
PATH_SHOWN = 200
PROMPT_SHOWN_BYTES = 16 * 1024
"""Of a prompt, where prompts are logged; a longer one is cut, and the line says so."""


def new_request_id() -> str:
    """Return an id that nobody can guess."""
    return f"req-{secrets.token_hex(16)}"


@dataclass
class RequestRecord:
    """One request and its answer."""

    method: str
    path: str
    """As the client wrote it."""
    kind: str | None = None
    """What the route does: chat, embedding, transcription or speech."""
    route: str = "other"
    """The route that serves the path; clients cannot make up more of these."""
    request_id: str = field(default_factory=new_request_id)
    app: App | None = None
    person: str | None = None
    """Who is behind the application, as a hash; None: nobody says."""
    person_shown: str | None = None
    """The same for the log: the hash, or the name as it came."""
    asked: str | None = None
    model: Model | None = None
    """The model behind the name that was asked for."""
    attempts: list[Model] = field(default_factory=list)
    """Models that were tried, in order; the last one served, if the status says so."""
    reason: str | None = None
    """Why the model that was asked for did not serve."""
    stream: bool = False
    status: int = 0
    error: str | None = None
    outside: str | None = None
    """The model outside the house that it was sent to, the last one; None: it stayed."""
    nano_usd: int | None = None
    """What models outside take for it, in billionths of a dollar; None: not known, or nothing."""
    usage: Mapping[str, Any] | None = None
    """What the engine counted, in its own words."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_counted: bool = False
    """The engine counted all of them, as it does at the end of an answer."""
    tokens_estimated: bool = False
    """What was heard of an answer tells of how many."""
    waited_s: float | None = None
    """Seconds it waited for the GPU: the arbiter's word, or until the GPU was given up; of a
    recording, for its turn to be heard."""
    woke: bool | None = None
    """Whether the model had to be woken for it; None where the arbiter had no part in it."""
    is_answered: bool = False
    """The client has a part of an answer: no other model can take over."""
    client: str | None = None
    """The address that the request came from."""
    prompt: Any = None
    """As it is logged, see `note_prompt`."""
    prompt_bytes: int | None = None
    """The size of a prompt of which the log has the beginning only."""
    started_at: float = field(default_factory=time.time)
    started_s: float = field(default_factory=time.monotonic)
    attempted_s: float = 0.0
    """When the latest attempt began."""
    first_token_s: float | None = None
    """Seconds from the request's arrival to the first token."""
    first_byte_s: float | None = None
    """Seconds from the request's arrival to the first byte of an audio route's answer."""
    bytes_in: int | None = None
    bytes_out: int | None = None
    audio_s: float | None = None
    """Seconds of audio that were heard or spoken, where somebody says so."""

    @property
    def served(self) -> Model | None:
        """Return the model that answered, were it until the client left; None when none did."""
        answered = self.status == 200 or (self.status == CLIENT_LEFT and self.is_answered)
        return self.attempts[-1] if self.attempts and answered else None

    @property
    def tokens(self) -> int:
        """Return all tokens of the request, 0 when unknown."""
        return (self.tokens_in or 0) + (self.tokens_out or 0)

    def elapsed_s(self) -> float:
        """Return the seconds since the request arrived."""
        return time.monotonic() - self.started_s

    def begin(self, model: Model) -> None:
        """Note an attempt; what the one before spent on the GPU was a wait for nothing."""
        if self.attempts and self.attempts[-1].via_arbiter:
            self.waited_s, self.woke = round(time.monotonic() - self.attempted_s, 3), None
        self.attempts.append(model)
        self.usage = self.tokens_in = self.tokens_out = None
        self.tokens_counted = self.tokens_estimated = False
        self.attempted_s = time.monotonic()

    def note_wait(self, headers: Mapping[str, str]) -> None:
        """Remember what the arbiter says of the wait."""
        waited = headers.get(protocol.WAITED)
        if waited is not None:
            self.waited_s = float(waited)
            self.woke = headers.get(protocol.WOKE) == "true"

    def note_token(self) -> None:
        """Remember the time of the first token."""
        if self.first_token_s is None:
            self.first_token_s = self.elapsed_s()

    def note_bytes(self, count: int) -> None:
        """Count bytes of an audio route's answer and remember the time of the first one."""
        if self.bytes_out is None:
            self.bytes_out, self.first_byte_s = 0, self.elapsed_s()
        self.bytes_out += count

    def note_usage(self, usage: Any) -> None:
        """Remember the tokens that the engine counted."""
        if isinstance(usage, dict):
            self.usage = usage
            self.tokens_in = _count(usage, "prompt_tokens", "input_tokens")
            self.tokens_out = _count(usage, "completion_tokens", "output_tokens") or 0

    def estimate(self, tokens_in: int, tokens_out: int) -> None:
        """Take these counts where no engine told any."""
        self.tokens_in, self.tokens_out = self.tokens_in or tokens_in, tokens_out
        self.tokens_estimated = True

    def note_prompt(self, prompt: Any) -> None:
        """Remember what the log shows of a prompt: all of it, or its beginning as text."""
        written = orjson.dumps(prompt, default=str)
        self.prompt = prompt
        if len(written) > PROMPT_SHOWN_BYTES:
            self.prompt_bytes = len(written)
            self.prompt = written[:PROMPT_SHOWN_BYTES].decode(errors="replace")

    def line(self) -> dict[str, Any]:
        """Return the log line as data; the prompt is in it only when logging it is switched on."""
        served = self.served
        line = {
            "ts": now(self.started_at),
            "event": "request",
            "request_id": self.request_id,
            "method": self.method,
            "path": self.path[:PATH_SHOWN],
            "client": self.client,
            "app": self.app.name if self.app else None,
            "person": self.person_shown,
            "kind": self.kind,
            "asked": self.asked,
            "model": self.model.name if self.model else None,
            "served": served.name if served else None,
            "engine": served.engine if served else None,
            "outside": self.outside is not None,
            "fallback": bool(served and self.model and served.name != self.model.name),
            "reason": self.reason,
            "tried": [model.name for model in self.attempts],
            "stream": self.stream,
            "status": self.status,
            "error": self.error,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "waited_s": self.waited_s,
            "woke": self.woke,
            "ttft_s": _rounded(self.first_token_s),
            "duration_s": _rounded(self.elapsed_s()),
        }
        if self.bytes_in is not None:
            line |= {
                "bytes_in": self.bytes_in,
                "bytes_out": self.bytes_out or 0,
                "first_byte_s": _rounded(self.first_byte_s),
                "audio_s": _rounded(self.audio_s),
            }
        if self.person_shown != self.person:
            line["person_hash"] = self.person
        if self.tokens_estimated:
            line["tokens_estimated"] = True
        if self.nano_usd is not None:
            line["usd"] = self.nano_usd / 10**9
        if self.prompt is not None:
            line["prompt"] = self.prompt
        return line | ({"prompt_bytes": self.prompt_bytes} if self.prompt_bytes else {})


def _count(usage: dict[str, Any], *names: str) -> int | None:
    found = (usage.get(name) for name in names)
    return next((count for count in found if isinstance(count, int) and count >= 0), None)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
