"""What the gateway reads in an answer on its way: tokens, the first output, an engine's error."""

from __future__ import annotations

from typing import Any

from synapse_common.answers.judges import Fields, truncated
from synapse_common.engines import Dialect
from synapse_gateway.access_log import RequestRecord
from synapse_gateway.request import CHARACTERS_PER_TOKEN


class Reader:
    """Reads OpenAI's chat and completions."""

    def __init__(self, record: RequestRecord, usage_wanted: bool) -> None:
        """Note on this record; events with counts go out only to who wants them."""
        self._record = record
        self._usage_wanted = usage_wanted
        self.pieces = 0
        """Events that said something."""
        self._deltas = 0
        """Those with words: one for each token, where the engine is ours."""
        self._characters = 0
        self.error: Fields | None = None
        """The engine's own error, which ended the stream."""

    @property
    def has_output(self) -> bool:
        """Say whether something was said that another model would say again."""
        return self.pieces > 0

    def passes(self, event: Fields) -> bool:
        """Take in one event of a stream and say whether it goes out.

        Raises CutShort for one that makes no sense.
        """
        if event.get("error") or event.get("type") == "error":
            self.error = event
            return False
        try:
            return self._event(event)
        except (AttributeError, LookupError, TypeError) as error:
            raise truncated() from error

    def whole(self, answer: Fields) -> None:
        """Take in an answer in one piece."""
        self._record.note_usage(answer.get("usage"))

    def _event(self, event: Fields) -> bool:
        choices = event.get("choices") or ()
        said = sum(map(_said, choices))
        if said:
            self._says(said)
        usage = event.get("usage")
        if usage:
            self._record.note_usage(usage)
            self._record.tokens_counted = True
            # The event with the counts has no choices, or LiteLLM's has one that says nothing;
            # only who asks gets it.
            tells = said or any(choice.get("finish_reason") for choice in choices)
            return bool(tells or self._usage_wanted)
        return True

    def ends(self, tokens_in: int, *, is_outside: bool = False) -> None:
        """End a stream, however it ended: what no engine counted is estimated, and marked so.

        Engines count at the end of an answer, and not at all if somebody stops it before.
        """
        if self.pieces and not self._record.tokens_counted:
            # What is outside may put many tokens into one event, and ours one.
            by_length = self._characters // CHARACTERS_PER_TOKEN if is_outside else 0
            self._record.estimate(tokens_in, max(self._deltas, by_length))

    def _says(self, characters: int = 0) -> None:
        self.pieces += 1
        self._deltas += characters > 0
        self._characters += characters
        if self.pieces == 1:
            self._record.note_token()


class Responses(Reader):
    """Reads OpenAI's later API."""

    def _event(self, event: Fields) -> bool:
        kind = str(event.get("type"))
        response = event.get("response")
        if kind == "response.failed" and isinstance(response, dict):
            self.error = {"error": response.get("error") or {}}
            return False
        if kind.endswith(".delta"):
            self._says(_length(event.get("delta")))
        elif ".output_item." in kind:
            self._says()
        if isinstance(response, dict) and response.get("usage"):
            self._record.note_usage(response["usage"])
            self._record.tokens_counted = True
        return True


MESSAGES_SAY = ("text", "thinking", "partial_json")
"""Where the words of a delta stand."""


class Messages(Reader):
    """Reads Anthropic's messages, which count what comes in first and what goes out last."""

    def _event(self, event: Fields) -> bool:
        kind = str(event.get("type"))
        if kind.startswith("content_block"):
            delta = event.get("delta") or {}
            self._says(sum(_length(delta.get(part)) for part in MESSAGES_SAY))
        message = event.get("message")
        usage = message.get("usage") if isinstance(message, dict) else event.get("usage")
        if isinstance(usage, dict):
            told = {name: count for name, count in usage.items() if count}
            self._record.note_usage({**(self._record.usage or {}), **told})
            self._record.tokens_counted = kind == "message_delta"
        return True


class Native(Reader):
    """Reads Ollama's native API."""

    def _event(self, event: Fields) -> bool:
        message = event.get("message") or {}
        parts = (message.get("content"), message.get("thinking"), message.get("tool_calls"))
        said = sum(map(_length, (*parts, event.get("response"), event.get("thinking"))))
        if said:
            self._says(said)
        if event.get("done"):
            self.whole(event)
        return True

    def whole(self, answer: Fields) -> None:
        """Take in an answer in one piece."""
        tokens_in, tokens_out = answer.get("prompt_eval_count"), answer.get("eval_count", 0)
        self._record.note_usage({"prompt_tokens": tokens_in, "completion_tokens": tokens_out})
        self._record.tokens_counted = True


READERS: dict[Dialect, type[Reader]] = {
    "responses": Responses,
    "messages": Messages,
    "native": Native,
}


def reader(dialect: Dialect, record: RequestRecord, usage_wanted: bool) -> Reader:
    """Return the reader of a dialect's answers."""
    return READERS.get(dialect, Reader)(record, usage_wanted)


def _said(choice: Any) -> int:
    """Count what is told; a stream opens with who speaks, before anybody does."""
    delta = choice.get("delta") or {}
    told = sum(_length(delta[part]) for part in delta if part != "role")
    return told + _length(choice.get("text"))


def _length(told: object) -> int:
    """Return the length of a text, 1 of anything else that is not empty."""
    return len(told) if isinstance(told, str) else bool(told)
