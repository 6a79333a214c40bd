"""A stream of Ollama's native API as OpenAI's server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from synapse_common.refusals import Refusal
from synapse_gateway.ollama import openai_logprobs, wire
from synapse_gateway.ollama.openai_answers import Head, tool_call, usage
from synapse_gateway.ollama.wire import JSON


class Stream:
    """Lines in, events out; only what Ollama calls done gets an ending.

    The two dialects differ in `_parts` and in the kind of object.
    """

    kind: ClassVar[str]
    ends_with: ClassVar[JSON]
    """What the last choice holds, which says the reason."""

    def __init__(self, head: Head) -> None:
        """Begin before the first line."""
        self._head = head
        self._opening = head.opens(self.kind)
        self._lines = wire.LineReader()
        self._called = 0
        self._done = self._failed = False

    def feed(self, data: bytes) -> bytes:
        """Return the events of the lines that end in these bytes.

        Raises ConnectionError where a line is broken or does not belong there.
        """
        return b"".join(map(self._line, self._lines.feed(data)))

    def finish(self) -> bytes:
        """Return the rest at the engine's end; raise ConnectionError where more should come."""
        rest = self.feed(b"\n")
        if not self._done and not self._failed:
            raise ConnectionError("the engine broke off its answer")
        return rest

    def _line(self, line: bytes) -> bytes:
        if self._failed:
            return b""
        native = wire.read(line)
        if "error" in native:
            self._failed = True
            message = str(native["error"])
            return Refusal(502, "answer_interrupted", message).event()
        if self._done:
            raise ConnectionError("the engine went on after the end of its answer")
        events = [self._event([choice]) for choice in self._parts(native)]
        if native.get("done"):
            events += self._ending(native)
        return b"".join(events)

    def _ending(self, native: JSON) -> list[bytes]:
        reason = self._head.end_reason(native)
        self._done = True
        told = "tool_calls" if self._called and reason == "stop" else reason
        last = {"index": 0, **self.ends_with, "logprobs": None, "finish_reason": told}
        counts = wire.event(self._opening | {"choices": [], "usage": usage(native)})
        return [self._event([last]), counts, wire.DONE]

    def _event(self, choices: list[JSON]) -> bytes:
        return wire.event(self._opening | {"choices": choices})

    def _parts(self, native: JSON) -> Iterator[JSON]:
        raise NotImplementedError


class Chat(Stream):
    """The stream of a chat."""

    kind = "chat.completion.chunk"
    ends_with: ClassVar[JSON] = {"delta": {}}

    def __init__(self, head: Head) -> None:
        """Begin before the role was told."""
        super().__init__(head)
        self._opened = False

    def _parts(self, native: JSON) -> Iterator[JSON]:
        message = native.get("message")
        if not isinstance(message, dict):
            raise ConnectionError("a line of the engine's answer has no message")
        if not self._opened:
            self._opened = True
            yield _choice({"delta": {"role": "assistant", "content": ""}})
        thinking, content = wire.text(message, "thinking"), wire.text(message, "content")
        calls = self._calls(message)
        deltas: list[JSON] = [{"reasoning": thinking}] if thinking else []
        deltas += [{"content": content}] if content else []
        deltas += [{"tool_calls": calls}] if calls else []
        logprobs = openai_logprobs.of_chat(native)
        if logprobs and not deltas:
            deltas = [{"content": ""}]
        for number, delta in enumerate(deltas):
            yield _choice({"delta": delta}, logprobs if number == 0 else None)

    def _calls(self, message: JSON) -> list[JSON]:
        told = []
        for call in wire.objects(message, "tool_calls"):
            told.append({"index": self._called, **tool_call(call)})
            self._called += 1
        return told


class Completion(Stream):
    """The stream of an old completion."""

    kind = "text_completion"
    ends_with: ClassVar[JSON] = {"text": ""}

    def __init__(self, head: Head) -> None:
        """Begin at the answer's first character."""
        super().__init__(head)
        self._logprobs = openai_logprobs.Completion()

    def _parts(self, native: JSON) -> Iterator[JSON]:
        text, thinking = wire.text(native, "response"), wire.text(native, "thinking")
        logprobs = self._logprobs.of(native)
        if text or thinking or logprobs:
            own = {"text": text} | ({"reasoning": thinking} if thinking else {})
            yield _choice(own, logprobs)


def _choice(own: JSON, logprobs: JSON | None = None) -> JSON:
    return {"index": 0, **own, "logprobs": logprobs, "finish_reason": None}
