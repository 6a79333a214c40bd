"""One request of the battery, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# Which engine a case is for: one that writes, one that makes vectors, one that makes scores.
Kind = Literal["generate", "embed", "score"]
MODEL = "{model}"
MAX_MODEL_LEN = 2048
TOO_LONG = "word " * (3 * MAX_MODEL_LEN)
STOPS = [f"stop-{number}" for number in range(5)]
HELLO = [{"role": "user", "content": "Say hello."}]


@dataclass(frozen=True)
class Interruption:
    """What happens to the engine while it holds the request.

    phase: running: the request computes; waiting: the engine is paused and keeps it for later.
    call: the control call that follows; afterwards the engine is woken and resumed.
    """

    phase: Literal["running", "waiting"]
    call: str


@dataclass(frozen=True)
class Case:
    """One request; `{model}` in the path and in a JSON body stands for the model's name."""

    name: str
    method: str
    path: str
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    interruption: Interruption | None = None


def get(path: str, name: str = "") -> Case:
    """Ask an address."""
    return Case(name or f"GET {path}", "GET", path)


def send(path: str, body: Any = None, *, name: str = "", raw: bytes | None = None) -> Case:
    """Send something that is not about an answer of the model."""
    return Case(name or f"POST {path}", "POST", path, body, raw)


def hello(**fields: Any) -> dict[str, Any]:
    """Ask the model to say hello: eight tokens, always the same."""
    return {"model": MODEL, "messages": HELLO, "max_tokens": 8, "temperature": 0, **fields}


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Leave fields out."""
    return {name: value for name, value in body.items() if name not in names}
