"""A stream of an OpenAI-compatible engine as lines of Ollama's native API."""

from __future__ import annotations

from typing import Any

from synapse_gateway.ollama import native_answers, wire
from synapse_gateway.ollama.native_answers import Parts
from synapse_gateway.ollama.native_head import Head
from synapse_gateway.ollama.wire import JSON


class Stream:
    """Events in, lines out; `done` is only said after a reason and [DONE]."""

    def __init__(self, head: Head, parts: Parts) -> None:
        """Begin before the first event."""
        self._head = head
        self._parts = parts
        self._events = wire.DataReader()
        self._calls: dict[int, JSON] = {}
        self._reason = ""
        self._usage: JSON = {}
        self._done = self._failed = False

    def feed(self, data: bytes) -> bytes:
        """Return the lines of the events that end in these bytes.

        Raises ConnectionError where an event is broken or does not belong there.
        """
        return b"".join(map(self._event, self._events.feed(data)))

    def finish(self) -> bytes:
        """Return the rest at the engine's end; raise ConnectionError where more should come."""
        rest = self.feed(b"\n\n")
        if not self._done and not self._failed:
            raise ConnectionError("the engine broke off its answer")
        return rest

    def _event(self, data: bytes) -> bytes:
        if self._failed:
            return b""
        if self._done:
            raise ConnectionError("the engine went on after the end of its answer")
        if data == b"[DONE]":
            return self._ending()
        event = wire.read(data)
        if event.get("error"):
            self._failed = True
            return wire.line({"error": _words(event["error"])})
        if event.get("usage"):
            self._usage = event["usage"]
        return b"".join(map(self._choice, wire.objects(event, "choices")))

    def _choice(self, choice: JSON) -> bytes:
        delta = choice.get("delta") or choice
        if choice.get("index", 0) != 0 or not isinstance(delta, dict):
            raise ConnectionError("the engine's answer holds a choice that nobody asked for")
        text = wire.text(delta, "content") or wire.text(delta, "text")
        text, thinking = text or wire.text(delta, "refusal"), native_answers.reasoning(delta)
        self._collect(wire.objects(delta, "tool_calls"))
        line = self._line(text, thinking, [], native_answers.logprobs(choice))
        if choice.get("finish_reason") is not None:
            self._reason = native_answers.end_reason(choice["finish_reason"])
        return line

    def _collect(self, fragments: list[JSON]) -> None:
        """Put the pieces of each call together: Ollama's clients read a call as a whole."""
        for fragment in fragments:
            index = wire.count(fragment, "index")
            call = self._calls.setdefault(index, {"function": {"name": "", "arguments": ""}})
            if fragment.get("id"):
                call["id"] = fragment["id"]
            self._head.first_token()
            told: Any = fragment.get("function") or {}
            for key, so_far in call["function"].items():
                call["function"][key] = so_far + wire.text(told, key)

    def _line(self, text: str, thinking: str, calls: list[JSON], more: JSON) -> bytes:
        if not (text or thinking or calls or more):
            return b""
        self._head.first_token()
        own = self._parts(text, thinking, calls)
        return wire.line(self._head.opens() | own | {"done": False} | more)

    def _ending(self) -> bytes:
        if not self._reason:
            raise ConnectionError("the engine ended its answer without a reason")
        self._done = True
        whole = [call for _, call in sorted(self._calls.items())]
        calls = [native_answers.tool_call(call, index) for index, call in enumerate(whole)]
        called = self._line("", "", calls, {})
        last = self._head.opens() | self._parts("", "", [])
        return called + wire.line(last | self._head.ending(self._reason, self._usage))


def _words(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)
