"""Native requests to a model that is on Ollama: they pass, within what the gateway allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synapse_gateway import errors
from synapse_gateway.ollama import from_options, wire
from synapse_gateway.ollama.asked import Asked
from synapse_gateway.ollama.openai_answers import REASONS

_TEMPLATE = "the model has its own template. Leave it out, or send raw: true."
_ANSWER = ("stream", "format", "think", "logprobs", "top_logprobs")
_FIELDS = {
    "/api/chat": ("messages", "tools", *_ANSWER),
    "/api/generate": ("prompt", "suffix", "system", "context", "raw", "images", *_ANSWER),
    "/api/embed": ("input", "dimensions"),
    "/api/embeddings": ("prompt",),
}
_SWITCHES = {
    "/api/chat": {"truncate": False, "shift": False},
    "/api/generate": {"truncate": False, "shift": False},
    "/api/embed": {"truncate": False},
    # It refuses what is too long without being told.
    "/api/embeddings": {},
}
_ENDS = (*REASONS, "load")
"""`load` is the right answer to a request that asks nothing."""


def native_through(
    path: str, body: Mapping[str, Any], served_name: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the request as the engine shall see it, and the names of what it shall not see."""
    asked = Asked(body)
    if not asked.text("model") and not asked.text("name"):
        raise errors.malformed("'model' must name a model.", "model")
    asked.only("template", ("",), _TEMPLATE)
    asked.only("_debug_render_only", (False,), "prompts are not shown here.")
    for name in ("truncate", "shift"):
        asked.only(name, (True, False), "it must be true or false.")
    if not isinstance(body.get("stream"), bool | None):
        raise asked.wrong("stream", "true or false")
    options, ignored = _options(asked.mapping("options") or {})
    kept = {name: asked.take(name) for name in _FIELDS[path]}
    told = {"model": served_name} | {key: value for key, value in kept.items() if value is not None}
    told |= _SWITCHES[path] | ({"options": options} if options else {})
    cut = [name for name in ("truncate", "shift") if body.get(name) is True]
    return told, (*asked.left(), *cut, *ignored)


def _options(given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Keep what steers the answer; Ollama itself would answer a wrong type with status 500."""
    asked = Asked(given, "options")
    kept: dict[str, Any] = {
        name: asked.number(name, *limits) for name, limits in from_options.NUMBERS.items()
    }
    kept |= {name: asked.number(name, 0) for name in ("typical_p", "repeat_penalty")}
    kept |= {name: asked.integer(name) for name in ("top_k", "repeat_last_n", "seed")}
    kept["num_predict"] = asked.integer("num_predict")
    kept["stop"] = asked.texts("stop")
    if kept["stop"] and "" in kept["stop"]:
        raise asked.wrong("stop", "a list of texts, none of them empty")
    ignored = from_options.not_followed(asked)
    return {name: value for name, value in kept.items() if value is not None}, ignored


class Passing:
    """Watches a native answer pass: whole or not, and with the name that the client knows."""

    def __init__(self, path: str, shown_name: str, *, stream: bool = False) -> None:
        """Begin before the answer; only chats and texts come as streams."""
        self._judged = path in ("/api/chat", "/api/generate")
        self._named = path != "/api/embeddings"
        self._name = shown_name
        self._lines = wire.LineReader()
        self._ended = not stream

    def whole(self, payload: bytes) -> bytes:
        """Return a whole answer; ConnectionError: it is not whole."""
        answer = wire.read(payload)
        if self._judged:
            _check_end(answer)
        return wire.dumps(self._shown(answer))

    def feed(self, data: bytes) -> bytes:
        """Return the lines that end in these bytes; ConnectionError: one is broken."""
        return b"".join(map(self._line, self._lines.feed(data)))

    def finish(self) -> bytes:
        """Return the rest at the engine's end; ConnectionError: the answer is not whole."""
        rest = self.feed(b"\n")
        if not self._ended:
            raise ConnectionError("the engine broke off its answer")
        return rest

    def _line(self, line: bytes) -> bytes:
        answer = wire.read(line)
        if "error" in answer:
            self._ended = True
        elif self._ended:
            raise ConnectionError("the engine went on after the end of its answer")
        elif answer.get("done"):
            _check_end(answer)
            self._ended = True
        return wire.line(self._shown(answer))

    def _shown(self, answer: wire.JSON) -> wire.JSON:
        return answer | {"model": self._name} if self._named and "model" in answer else answer


def _check_end(answer: wire.JSON) -> None:
    if answer.get("done") is not True or answer.get("done_reason") not in _ENDS:
        raise ConnectionError("the engine broke off its answer without saying why")
