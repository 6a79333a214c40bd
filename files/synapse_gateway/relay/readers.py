"""What the gateway reads in an answer on its way: tokens, the first output, an engine's error."""

from __future__ import annotations

from typing import Any

from synapse_common.answers.judges import Fields, truncated
from synapse_common.engines import Dialect
from synapse_gateway.access_log import RequestRecord


class Reader:
    """Reads OpenAI's chat and completions."""

    def __init__(self, record: RequestRecord, usage_wanted: bool) -> None:
        """Note on this record; events with counts go out only to who wants them."""
        self._record = record
        self._usage_wanted = usage_wanted
        self.pieces = 0
        """Events that said something: about as many as tokens."""
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
        is_said = any(map(_is_said, choices))
        if is_said:
            self._says()
        usage = event.get("usage")
        if usage:
            self._record.note_usage(usage)
            # The event with the counts has no choices, or LiteLLM's has one that says nothing;
            # only who asks gets it.
            tells = is_said or any(choice.get("finish_reason") for choice in choices)
            return tells or self._usage_wanted
        return True

    def left(self) -> None:
        """Count what a client heard that did not stay: nobody tells the tokens any more."""
        if not self._record.tokens_out and self.pieces:
            self._record.tokens_out = self.pieces

    def _says(self) -> None:
        self.pieces += 1
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
        if kind.endswith(".delta") or ".output_item." in kind:
            self._says()
        if isinstance(response, dict):
            self._record.note_usage(response.get("usage"))
        return True


class Messages(Reader):
    """Reads Anthropic's messages, which count what comes in first and what goes out last."""

    def _event(self, event: Fields) -> bool:
        kind = str(event.get("type"))
        if kind.startswith("content_block"):
            self._says()
        message = event.get("message")
        usage = message.get("usage") if isinstance(message, dict) else event.get("usage")
        if isinstance(usage, dict):
            told = {name: count for name, count in usage.items() if count}
            self._record.note_usage({**(self._record.usage or {}), **told})
        return True


class Native(Reader):
    """Reads Ollama's native API."""

    def _event(self, event: Fields) -> bool:
        message = event.get("message") or {}
        said = (message.get("content"), message.get("thinking"), message.get("tool_calls"))
        if any(said) or event.get("response") or event.get("thinking"):
            self._says()
        if event.get("done"):
            self.whole(event)
        return True

    def whole(self, answer: Fields) -> None:
        """Take in an answer in one piece."""
        tokens_in, tokens_out = answer.get("prompt_eval_count"), answer.get("eval_count", 0)
        self._record.note_usage({"prompt_tokens": tokens_in, "completion_tokens": tokens_out})


READERS: dict[Dialect, type[Reader]] = {
    "responses": Responses,
    "messages": Messages,
    "native": Native,
}


def reader(dialect: Dialect, record: RequestRecord, usage_wanted: bool) -> Reader:
    """Return the reader of a dialect's answers."""
    return READERS.get(dialect, Reader)(record, usage_wanted)


def _is_said(choice: Any) -> bool:
    """Say whether something is told; a stream opens with who speaks, before anybody does."""
    delta = choice.get("delta") or {}
    return bool(choice.get("text")) or any(delta[part] for part in delta if part != "role")
