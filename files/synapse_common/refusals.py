"""How our programs refuse a request: one shape, which OpenAI's clients read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  # it is an answer, not a fault of ours
    """An answer that is not what the client asked for."""

    status: int
    code: str
    message: str
    kind: str = ""
    """OpenAI's name for the kind of error; empty: what the status says."""
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: str | None = None
    """The model's name as the client wrote it, for the log."""

    def body(self) -> bytes:
        """Return the JSON body that OpenAI's clients understand."""
        kind = self.kind or (INVALID_REQUEST if self.status < 500 else SERVER_ERROR)
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")).encode()

    def event(self) -> bytes:
        """Return the same as the last event of a stream that already began."""
        return b"data: " + self.body() + b"\n\n"
