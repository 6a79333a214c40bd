"""The probabilities of tokens: Ollama has one shape, OpenAI one for chats and an older one."""

from __future__ import annotations

from synapse_gateway.ollama import wire
from synapse_gateway.ollama.wire import JSON


def of_chat(native: JSON) -> JSON | None:
    """Return the probabilities of a chat's tokens; None where none were told."""
    tokens = wire.objects(native, "logprobs")
    if not tokens:
        return None
    told = [
        _token(token) | {"top_logprobs": [_token(one) for one in _top(token)]} for token in tokens
    ]
    return {"content": told, "refusal": None}


class Completion:
    """The older shape, which counts the characters of the whole answer."""

    def __init__(self) -> None:
        """Begin at the answer's first character."""
        self._offset = 0

    def of(self, native: JSON) -> JSON | None:
        """Return the probabilities in the next part of an answer; None where none were told."""
        tokens = wire.objects(native, "logprobs")
        if not tokens:
            return None
        words = [wire.text(token, "token") for token in tokens]
        offsets = []
        for word in words:
            offsets.append(self._offset)
            self._offset += len(word)
        return {
            "tokens": words,
            "token_logprobs": [token.get("logprob") for token in tokens],
            "top_logprobs": [
                {wire.text(one, "token"): one.get("logprob") for one in (token, *_top(token))}
                for token in tokens
            ],
            "text_offset": offsets,
        }


def _token(token: JSON) -> JSON:
    return {key: token.get(key) for key in ("token", "logprob", "bytes")}


def _top(token: JSON) -> list[JSON]:
    return wire.objects(token, "top_logprobs")
