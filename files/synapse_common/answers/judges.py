"""Judges of answers: vLLM ends aborted requests with a 200, so an answer must prove to be whole.

A judge reads parsed events or a parsed body, never their text: a model may write anything.
"""

from __future__ import annotations

from typing import Any

import orjson

Fields = dict[str, Any]

# All of vLLM's that end an answer well, and OpenAI's others; its bad ones are `abort` and `error`.
GOOD_REASONS = {"stop", "length", "tool_calls", "function_call", "content_filter", "repetition"}
# Anthropic's; vLLM leaves the reason null for an aborted answer.
GOOD_STOPS = {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"}

# Ollama's; `load` and `unload` answer requests that ask for nothing else.
NATIVE_REASONS = {"stop", "length", "load", "unload"}

ENGINE_CUTS = "engine_cuts"
SLACK_TOKENS = 8
"""Engines count one or two beyond the context that they do not hold any more."""


class CutShort(Exception):  # noqa: N818  # it says what happened
    """An answer is not whole."""

    def __init__(self, code: str, message: str) -> None:
        """Say why, by a code of the arbiter's and in words."""
        super().__init__(message)
        self.code = code


def aborted() -> CutShort:
    """Return what is raised for an aborted answer."""
    return CutShort("engine_aborted", "The engine aborted the answer; ask again.")


def truncated() -> CutShort:
    """Return what is raised for an answer whose end is missing."""
    return CutShort("answer_truncated", "The engine ended the answer early.")


def cut_by_engine() -> CutShort:
    """Return what is raised where an engine shortens what it was to read."""
    return CutShort(ENGINE_CUTS, "The engine shortens what is too long.")


def too_large(limit_bytes: int) -> CutShort:
    """Return what is raised for an answer, or a part of one, that is not read to its end."""
    message = f"The engine's answer has more than {limit_bytes // 1024**2} MiB; ask for less."
    return CutShort("answer_too_large", message)


def check_room(answer: Fields, context: int | None) -> None:
    """Raise CutShort for an answer of Ollama that counts more tokens than its context holds.

    To write them it threw away a part of what it had read.
    """
    counts = (answer.get("prompt_eval_count"), answer.get("eval_count"))
    used = sum(count for count in counts if isinstance(count, int))
    if context is not None and used > context + SLACK_TOKENS:
        raise cut_by_engine()


class Judge:
    """Judges one answer: whole, cut, or an error of the engine's own."""

    def __init__(self, answers: int) -> None:
        """Expect so many choices or vectors."""
        self._answers = answers
        self.complete = False
        self.failed = False  # the engine itself said so
        self.doubtful = False  # it looks whole, and so would an aborted one
        self.number = 0  # the next event's, where events are numbered
        self.told: Fields = {}
        """An answer in one piece, read."""

    def event(self, event: Fields) -> None:
        """Take in one event; raise CutShort when it shows that the answer was cut."""
        if event.get("error") or event.get("type") == "error":
            self.failed = True
        elif not self.failed:
            try:
                self._event(event)
            except (AttributeError, LookupError, TypeError) as error:
                raise truncated() from error  # it makes no sense

    def done(self) -> None:
        """Take in the [DONE] that ends OpenAI's streams; raise CutShort when it comes early."""

    def end(self) -> None:
        """Raise CutShort when a stream ended before its answer did."""
        if not (self.complete or self.failed):
            raise truncated()

    def whole(self, payload: bytes) -> None:
        """Take in an answer in one piece; raise CutShort when it was cut."""
        try:
            self.told = orjson.loads(payload)
            self._whole(self.told)
        except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError) as error:
            raise truncated() from error  # it makes no sense
        self.end()

    def _event(self, event: Fields) -> None:
        """Take in one event that is no error."""

    def _whole(self, answer: Fields) -> None:
        """Take in a body that is no error."""


class Speech(Judge):
    """Sound: nothing in it says where it should end."""

    def end(self) -> None:
        """Take any end for a good one."""

    def whole(self, payload: bytes) -> None:
        """Take in an answer in one piece."""


class Choices(Judge):
    """Chat and completions: each choice ends with a good reason, and a stream with [DONE].

    An aborted request that still waited ends in vLLM 0.30 and 0.32 without any reason.
    """

    def __init__(self, answers: int) -> None:
        """Expect so many choices."""
        super().__init__(answers)
        self._seen: set[int] = set()
        self._ended: set[int] = set()

    def done(self) -> None:
        """Take in the [DONE]; raise CutShort when a choice has not ended."""
        if not self.failed and (len(self._ended) < self._answers or self._seen - self._ended):
            raise truncated()
        self.complete = True

    def _event(self, event: Fields) -> None:
        for choice in event.get("choices") or ():
            index = choice.get("index", 0)
            self._seen.add(index)
            reason = choice.get("finish_reason")
            if reason is not None:
                if reason not in GOOD_REASONS:
                    raise aborted()
                self._ended.add(index)

    def _whole(self, answer: Fields) -> None:
        self._event(answer)
        self.done()


class Transcript(Choices):
    """Transcripts: a stream ends with [DONE]; in one piece they are text in many formats."""

    def done(self) -> None:
        """Take in the [DONE]."""
        self.complete = True

    def whole(self, payload: bytes) -> None:
        """Take in an answer in one piece."""


class Messages(Judge):
    """Anthropic's messages: they end with a good reason after some output.

    vLLM leaves the reason null for an aborted one; 0.30 and 0.32 say `end_turn` without any
    output when it still waited.
    """

    def __init__(self, answers: int) -> None:
        """Expect one message."""
        super().__init__(answers)
        self._output = False
        self._ended = False

    def _event(self, event: Fields) -> None:
        kind = event.get("type")
        if kind == "content_block_start":
            self._output = True
        elif kind == "message_delta":
            self._judge(event["delta"].get("stop_reason"), event)
        elif kind == "message_stop":
            self.complete = self._ended
            self.end()

    def _whole(self, answer: Fields) -> None:
        self._output = bool(answer.get("content"))
        self._judge(answer.get("stop_reason"), answer)
        self.complete = True

    def _judge(self, reason: object, told: Fields) -> None:
        if reason not in GOOD_STOPS or not _has_output(told, self._output):
            raise aborted()
        self._ended = True


class Responses(Judge):
    """OpenAI's later API: vLLM says `completed` of aborted answers too.

    `incomplete` is the end of one that reached its limit. Neither is true without any output.
    """

    def _event(self, event: Fields) -> None:
        self.number = event.get("sequence_number", self.number)
        if event.get("type") in ("response.completed", "response.incomplete", "response.failed"):
            self._whole(event["response"])
        else:
            self.number += 1

    def _whole(self, answer: Fields) -> None:
        status = answer.get("status")
        self.failed = status == "failed"
        if status in ("completed", "incomplete"):
            if not _has_output(answer, bool(answer.get("output"))):
                raise aborted()
            self.complete = True
            self.doubtful = status == "completed"


def _has_output(told: Fields, parts: bool) -> bool:
    """Say whether anything was written: by the tokens, else by the parts, which may be empty."""
    tokens = (told.get("usage") or {}).get("output_tokens")
    return parts if tokens is None else tokens > 0


class Entries(Judge):
    """Vectors, ranks and scores: a list with so many entries; none are expected of raw bytes."""

    def whole(self, payload: bytes) -> None:
        """Take in an answer in one piece; raise CutShort when it was cut."""
        if self._answers:
            super().whole(payload)

    def _whole(self, answer: Fields) -> None:
        entries = answer.get("data") or answer.get("results") or ()
        self.complete = len(entries) >= self._answers


class Counts(Judge):
    """What an engine counts or spells in one piece; JSON that can be read is all of it."""

    def _whole(self, answer: Fields) -> None:
        self.complete = isinstance(answer, dict) and bool(answer)


class Native(Judge):
    """Ollama's native answers: the last line, or the whole, says that it is done, and why.

    Vectors say nothing of that: there must be as many as texts.
    """

    def __init__(self, answers: int, context: int | None = None) -> None:
        """Expect so many vectors, or an answer within this context; None: it is not known."""
        super().__init__(answers)
        self._context = context

    def _event(self, event: Fields) -> None:
        if self.complete:
            raise truncated()  # it went on behind its end
        if event.get("done"):
            if event.get("done_reason") not in NATIVE_REASONS:
                raise aborted()
            check_room(event, self._context)
            self.complete = True

    def _whole(self, answer: Fields) -> None:
        if "embeddings" in answer:
            self.complete = len(answer["embeddings"]) >= self._answers
        elif "embedding" in answer:
            self.complete = True
        else:
            self._event(answer)
