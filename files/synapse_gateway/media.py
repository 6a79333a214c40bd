"""Pictures and sound in a request: as data only, or from places that the site names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from synapse_gateway import errors

PICTURES = {"image_url", "input_image", "image", "image_pil", "computer_screenshot"}
NAMED = ("image_url", "video_url", "audio_url", "file_url")
"""What an engine looks at in a part of any type, or of none: an address, or an object with one."""
HOLDERS = ("content", "output")
"""What holds parts in a message, a tool's result, or a document."""
PLACES = (
    "messages", "input",
    # What is ranked and compared, which may be pictures too.
    "query", "queries", "documents", "text_1", "text_2", "data_1", "data_2",
)  # fmt: skip
"""What holds parts in a body."""
DATA = "data:"
PARTS_AT_MOST = 8192
"""Messages, documents and their parts, in one request; each is looked at."""
DEEPEST = 16
"""Levels of lists and parts in parts; a picture in a tool's result is at the sixth."""
SHOWN = 60
PLAIN = re.compile(r"[!-~]+")
ODD = re.compile(r"[\\@]")
"""What makes two readers of an address see two hosts."""


def has_pictures(body: Mapping[str, Any], domains: Sequence[str]) -> bool:
    """Say whether a request shows pictures; refuse media that an engine would have to fetch."""
    found = False
    for number, (place, part) in enumerate(_parts(body)):
        if number == PARTS_AT_MOST:
            raise errors.malformed(f"The request must have at most {PARTS_AT_MOST} parts.", place)
        found = found or part.get("type") in PICTURES or "image_url" in part
        for address in _addresses(part):
            if not _is_allowed(address, domains):
                message = f"'{place}' is an address: send the picture itself, as a data: URL."
                raise errors.malformed(message, place)
    return found


def has_native_pictures(body: Mapping[str, Any]) -> bool:
    """Say whether a request of Ollama's native API shows pictures; they are data always."""
    messages = body.get("messages")
    holders = [body, *(messages if isinstance(messages, list) else ())]
    return any(isinstance(holder, dict) and bool(holder.get("images")) for holder in holders)


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every part of every message and document, and where it stands."""
    for name in PLACES:
        if name in body:
            yield from _inside(body[name], name)


def _inside(told: Any, place: str, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if depth > DEEPEST:
        raise errors.malformed(f"'{place[:SHOWN]}' is nested too deeply.", place[:SHOWN])
    if isinstance(told, list):
        for number, each in enumerate(told):
            if isinstance(each, dict | list):  # a list may be of very many numbers
                yield from _inside(each, f"{place}[{number}]", depth + 1)
    elif isinstance(told, dict):
        yield place, told
        for name in HOLDERS:
            if isinstance(told.get(name), dict | list):
                yield from _inside(told[name], f"{place}.{name}", depth + 1)


def _addresses(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a part says that its media are, in any dialect."""
    for name in NAMED:
        told = part.get(name)
        told = told.get("url") if isinstance(told, dict) else told
        if isinstance(told, str):
            yield told
    source, file = part.get("source"), part.get("file")
    if isinstance(source, dict) and isinstance(source.get("url"), str):
        yield source["url"]
    # An id of a file is no address, but LiteLLM would take one for it.
    if isinstance(file, dict) and "/" in str(file.get("file_id")):
        yield str(file["file_id"])


def _is_allowed(address: str, domains: Sequence[str]) -> bool:
    if address[: len(DATA)].lower() == DATA:
        return True
    if not PLAIN.fullmatch(address) or ODD.search(address):
        return False
    try:
        url = urlsplit(address)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and url.hostname in domains
