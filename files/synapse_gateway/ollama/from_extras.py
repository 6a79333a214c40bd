"""What all requests of Ollama's clients may say beside messages or a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from synapse_gateway.ollama.asked import Asked
from synapse_gateway.ollama.from_options import options
from synapse_gateway.ollama.to_options import MOST_LOGPROBS

RAW = "a raw prompt, or one with a suffix, is text and nothing else. Use /api/chat."
THINKING: dict[bool | str, str] = {
    False: "none", True: "medium", "low": "low", "medium": "medium", "high": "high", "max": "max",
}  # fmt: skip
"""What `think` may say, and what OpenAI-compatible engines call it."""


@dataclass
class Extras:
    """What they come to."""

    fields: dict[str, Any]
    stream: bool
    ignored: list[str] = field(default_factory=list)
    unloads: bool = False
    """The client wants the model to leave memory, if it asks nothing of it."""


def chat(asked: Asked) -> Extras:
    """Read what goes along with messages."""
    fields: dict[str, Any] = {}
    answer_format = asked.take("format")
    if isinstance(answer_format, dict):
        schema = {"name": "answer", "schema": answer_format}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif answer_format == "json":
        fields["response_format"] = {"type": "json_object"}
    elif answer_format not in (None, ""):
        raise asked.wrong("format", "json or a JSON schema")
    think = asked.take("think")
    if think is not None:
        if not isinstance(think, bool | str) or think not in THINKING:
            raise asked.wrong("think", "true, false, low, medium, high or max")
        fields["reasoning_effort"] = THINKING[think]
    wanted, top = _logprobs(asked)
    fields |= {"logprobs": True, "top_logprobs": top} if wanted else {}
    return _rest(asked, fields)


def completion(asked: Asked) -> Extras:
    """Read what goes along with a raw prompt."""
    asked.only("format", ("",), RAW)
    asked.only("think", (False,), RAW)
    wanted, top = _logprobs(asked)
    return _rest(asked, {"logprobs": top} if wanted else {})


def vectors(asked: Asked) -> list[str]:
    """Return the names of what nobody follows in a request for vectors."""
    asked.take("stream")
    return _rest(asked, {}).ignored


def _logprobs(asked: Asked) -> tuple[bool, int]:
    wanted = asked.flag("logprobs")
    return bool(wanted), asked.integer("top_logprobs", 0, MOST_LOGPROBS) or 0


def _rest(asked: Asked, fields: dict[str, Any]) -> Extras:
    stream = asked.flag("stream")
    sampling, ignored = options(asked.mapping("options") or {})
    told = Extras(fields | sampling, stream is not False, list(ignored))
    asked.only("_debug_render_only", (False,), "prompts are not shown here.")
    stays = asked.take("keep_alive")
    told.unloads = not isinstance(stays, bool) and stays in (0, "0", "0s")
    told.ignored += ["keep_alive"] if stays is not None else []
    # A prompt is never cut here, whatever the client would put up with.
    told.ignored += [name for name in ("truncate", "shift") if asked.flag(name)]
    # Ollama itself takes no notice of fields that it does not know.
    told.ignored += asked.left()
    return told
