"""OpenAI's messages as Ollama's: parts, pictures, calls of tools and their results."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from synapse_common.refusals import Refusal
from synapse_gateway import errors
from synapse_gateway.ollama import wire
from synapse_gateway.ollama.asked import Asked, unsupported

Message = dict[str, Any]

ROLES = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant",
    "tool": "tool",
}  # fmt: skip
# The kinds of pictures that Ollama's own /v1 takes; it also takes data without a kind.
DATA_URL = re.compile(r"data:(?:image/(?:jpeg|jpg|png|webp))?;base64,")
BETWEEN_TEXTS = "\n\n"
"""How Ollama joins messages of one role, and so the parts of one."""


def messages(asked: Asked) -> tuple[list[Message], tuple[str, ...]]:
    """Return the messages, and the names of what Ollama does not read in them."""
    given = asked.objects("messages")
    if not given:
        raise asked.wrong("messages", "a list of at least one message")
    found: list[Message] = []
    unread: list[str] = []
    names: dict[str, str] = {}
    for number, message in enumerate(given):
        fields = Asked(message, f"messages[{number}]")
        found += _message(fields, names)
        unread += [f"messages.{name.partition('.')[2]}" for name in fields.left()]
    return found, tuple(dict.fromkeys(unread))


def _message(asked: Asked, names: dict[str, str]) -> list[Message]:
    role = ROLES.get(str(asked.take("role")))
    if role is None:
        raise asked.wrong("role", f"one of {', '.join(ROLES)}")
    for name in ("audio", "function_call", "annotations"):
        asked.only(name, ([],), "Ollama has no such part of a message. Leave it out.")
    calls = list(_calls(asked, names))
    thinking = asked.text("reasoning") or asked.text("reasoning_content")
    content, refusal = asked.take("content"), asked.text("refusal")
    if content is None and not (role == "assistant" and (calls or thinking or refusal)):
        raise asked.wrong("content", "a text or a list of parts")
    if content is None:
        content = refusal or ""
    made = [{"role": role, **part} for part in _parts(content, asked, role)]
    made[-1] |= {"thinking": thinking} if thinking else {}
    made[-1] |= {"tool_calls": calls} if calls else {}
    if role == "tool":
        made[-1] |= _result(asked, names)
    return made


def _parts(content: Any, asked: Asked, role: str) -> Iterator[Message]:
    """Yield what becomes a message of its own: texts that stand together, and each picture.

    So does Ollama's own /v1: pictures keep their place, and a text cannot name one.
    """
    if isinstance(content, str):
        yield {"content": content}
        return
    if not isinstance(content, list) or not content:
        raise asked.wrong("content", "a text or a list of parts")
    texts: list[str] = []
    for number, part in enumerate(content):
        where = asked.path(f"content[{number}]")
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "image_url" and role == "user":
            if texts:
                yield {"content": BETWEEN_TEXTS.join(texts)}
            texts = []
            yield {"content": "", "images": [_picture(part[kind], where)]}
        elif kind in ("text", "refusal") and isinstance(part.get(kind), str):
            texts.append(part[kind])
        else:
            raise _wrong_part(kind, where, role)
    if texts:
        yield {"content": BETWEEN_TEXTS.join(texts)}


def _wrong_part(kind: object, where: str, role: str) -> Refusal:
    if kind in ("image_url", "input_audio", "file", "video_url"):
        taken = "text and pictures" if role == "user" else "text"
        return unsupported(where, f"Ollama takes {taken} in a message of role {role}.")
    return errors.malformed(f"'{where}' must be a part of type text or image_url.", where)


def _picture(image: Any, where: str) -> str:
    """Return the picture's data; only data is taken, nothing is fetched from anywhere."""
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise errors.malformed(f"'{where}.image_url' must name a url.", where)
    head = DATA_URL.match(url)
    if head is None:
        message = "a picture must be sent as data: data:image/png;base64,... (or jpeg or webp)."
        raise errors.malformed(f"'{where}': {message}", where)
    data = url[head.end() :]
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise errors.malformed(f"'{where}': the picture is not valid base64.", where) from None
    return data


def _calls(asked: Asked, names: dict[str, str]) -> Iterator[dict[str, Any]]:
    for number, call in enumerate(asked.objects("tool_calls") or ()):
        where = asked.path(f"tool_calls[{number}]")
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str):
            raise errors.malformed(f"'{where}' must be a call of a function.", where)
        arguments = _arguments(function.get("arguments"), f"{where}.function.arguments")
        told: dict[str, Any] = {"function": {"name": name, "arguments": arguments}}
        if isinstance(call.get("id"), str):
            names[call["id"]] = name
            told["id"] = call["id"]
        yield told


def _arguments(text: Any, where: str) -> dict[str, Any]:
    """Return the arguments as an object; an empty text stands for none."""
    try:
        return wire.parse_given(text or "{}")
    except (AttributeError, TypeError, ValueError):
        message = f"'{where}' must be a JSON object, written as a text."
        raise errors.malformed(message, where) from None


def _result(asked: Asked, names: dict[str, str]) -> dict[str, str]:
    """Return whose result it is: Ollama wants the tool's name, OpenAI's clients send an id."""
    call = asked.text("tool_call_id")
    name = asked.text("name") or names.get(call or "")
    told = {"tool_call_id": call, "tool_name": name}
    return {key: value for key, value in told.items() if value}
