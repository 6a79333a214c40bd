"""Ollama's messages as OpenAI's."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from synapse_gateway import errors
from synapse_gateway.ollama import wire
from synapse_gateway.ollama.asked import Asked

Message = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool")
# How many base64 letters hold the first bytes of a picture, which tell its kind.
_HEAD = 24
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"))


class Messages:
    """Translates the messages of one request in order: results are matched with their calls."""

    def __init__(self) -> None:
        """Begin before the first message."""
        self.ignored: list[str] = []
        """The names of what is not read in them."""
        self._open: list[tuple[str, str]] = []
        self._calls = 0

    def translate(self, given: list[dict[str, Any]]) -> list[Message]:
        """Return the messages as OpenAI writes them."""
        found = []
        for number, message in enumerate(given):
            asked = Asked(message, f"messages[{number}]")
            found.append(self._message(asked))
            self.ignored += (f"messages.{path.partition('.')[2]}" for path in asked.left())
        self.ignored = list(dict.fromkeys(self.ignored))
        return found

    def _message(self, asked: Asked) -> Message:
        role = str(asked.take("role")).lower()
        if role not in ROLES:
            raise asked.wrong("role", f"one of {', '.join(ROLES)}")
        content = asked.text("content") or ""
        images = asked.take("images")
        made: Message = {"role": role, "content": content}
        if images:
            if role != "user":
                raise asked.wrong("images", "in a message of role user")
            made["content"] = parts(content, images, asked.path("images"))
        thinking = asked.text("thinking")
        if thinking:
            made["reasoning"] = thinking
        calls = [
            self._call(Asked(call, asked.path(f"tool_calls[{number}]")))
            for number, call in enumerate(asked.objects("tool_calls") or ())
        ]
        if calls:
            made["tool_calls"] = calls
        if role == "tool":
            made["tool_call_id"] = self._answers(asked)
        return made

    def _call(self, asked: Asked) -> dict[str, Any]:
        function = Asked(asked.mapping("function") or {}, asked.path("function"))
        name, arguments = function.text("name"), function.take("arguments")
        if not name:
            raise function.wrong("name", "the name of a function")
        if not isinstance(arguments, dict | None):
            raise function.wrong("arguments", "an object")
        self._calls += 1
        identity = asked.text("id") or f"call_{self._calls}"
        self._open.append((identity, name))
        told = {"name": name, "arguments": wire.dumps(arguments or {}).decode()}
        return {"id": identity, "type": "function", "function": told}

    def _answers(self, asked: Asked) -> str:
        """Return the id of the call that a result belongs to; Ollama's clients name the tool."""
        identity = asked.text("tool_call_id")
        name = asked.text("tool_name") or asked.text("name")
        for call in self._open:
            if identity == call[0] or (not identity and name in (None, call[1])):
                self._open.remove(call)
                return call[0]
        return identity or f"call_{self._calls}"


def parts(text: str, images: Any, where: str) -> list[dict[str, Any]]:
    """Return pictures and then the text, the order in which Ollama shows them to a model."""
    if not isinstance(images, list):
        raise errors.malformed(f"'{where}' must be a list of pictures in base64.", where)
    told: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _data_url(image, f"{where}[{number}]")}}
        for number, image in enumerate(images)
    ]
    return told + ([{"type": "text", "text": text}] if text else [])


def _data_url(image: Any, where: str) -> str:
    try:
        base64.b64decode(image, validate=True)
        head = base64.b64decode(image[:_HEAD])
    except (binascii.Error, TypeError, ValueError):
        raise errors.malformed(f"'{where}' must be a picture in base64.", where) from None
    kind = next((kind for magic, kind in _PICTURES if head.startswith(magic)), None)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = "webp"
    if kind is None:
        raise errors.malformed(f"'{where}' must be a PNG, JPEG, WebP or GIF picture.", where)
    return f"data:image/{kind};base64,{image}"
