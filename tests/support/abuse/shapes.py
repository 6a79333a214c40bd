"""Shapes of JSON bodies: which route, which field, filled with what, up to how many bytes."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from abuse import wire
from abuse.catalogue import EMBED, HARM, NATIVE, RANK, SEES
from abuse.fillings import FILLINGS

BESIDE = "*"
"""Not one field: what is filled stands beside all of them."""
OBJECTS = ("keys", "one key again", "one long key")
"""What can stand there."""
PLACE = "@"
"""Where in a template the filling goes."""


FIELDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "/v1/chat/completions": (
        SEES, '"messages":[{"role":"user","content":"a"}]',
        ("messages", "messages.0", "messages.0.content", "messages.0.content.0.text",
         "messages.0.content.0.image_url", "tools", "tools.0.function.parameters", "stop",
         "logit_bias", "response_format", "documents", "chat_template_kwargs", "unknown",
         "structured_outputs", "stream_options", "model"),
    ),
    "/v1/completions": (SEES, '"prompt":"a"', ("prompt", "suffix", "stop", "logit_bias")),
    "/v1/responses": (
        SEES, '"input":"a"',
        ("input", "input.0.content", "tools", "instructions", "metadata", "text"),
    ),
    "/v1/messages": (
        SEES, '"max_tokens":9,"messages":[{"role":"user","content":"a"}]',
        ("messages", "messages.0.content", "system", "tools", "metadata", "stop_sequences"),
    ),
    "/api/chat": (
        SEES, '"messages":[{"role":"user","content":"a"}]',
        ("messages", "messages.0.content", "messages.0.images", "tools", "format", "options"),
    ),
    "/api/generate": (SEES, '"prompt":"a"', ("prompt", "images", "context", "format", "options")),
    "/v1/embeddings": (EMBED, '"input":"a"', ("input", "user")),
    "/api/embed": (EMBED, '"input":"a"', ("input", "options")),
    "/v1/rerank": (RANK, '"query":"a","documents":["a"]', ("query", "documents")),
    "/v1/score": (RANK, '"queries":"a","documents":["a"]', ("queries", "documents")),
    "/tokenize": (SEES, '"prompt":"a"', ("prompt", "messages", "tools")),
    "/detokenize": (SEES, '"tokens":[1]', ("tokens",)),
}  # fmt: skip
"""Each route: a model that it may ask for, a short body, and the fields that are filled."""
TRANSLATED = ("/v1/chat/completions", "/v1/completions", "/api/chat")
"""Routes that are also tried before an engine of another dialect, which is asked in its own."""


@dataclass(frozen=True)
class Shape:
    """A body in a few words; `request` writes it out."""

    path: str
    where: str
    """The field that is filled, from the body's top; empty: the whole body."""
    what: str
    size: int
    depth: int = 1
    model: str = ""
    """Another model than the route's usual one."""
    packed: bool = False
    """Sent as gzip: few bytes that become many."""
    piece: int = 0
    """Bytes of each chunk; 0: sent with its length."""

    @property
    def kind(self) -> str:
        """Say what is varied, without sizes."""
        return f"{self.path} {self.where or 'body'}: {self.what}"

    def request(self) -> wire.Sent:
        """Write it out."""
        body = self.body()
        if self.packed:
            body = gzip.compress(body, compresslevel=1)
        length = None if self.piece else len(body)
        lines = ("content-type: application/json",)
        packing = "gzip" if self.packed else ""
        return wire.Sent(
            wire.head(self.path, HARM, *lines, size=length, packed=packing), body, self.piece
        )

    def body(self) -> bytes:
        """Return the JSON."""
        filling = FILLINGS[self.what](self.size, self.depth)
        if not self.where:
            return filling.encode()
        model, usual, _ = FIELDS[self.path]
        if self.where == BESIDE:
            return b'{"model":"%s",%s,%s' % (model.encode(), usual.encode(), filling[1:].encode())
        top, _, inner = self.where.partition(".")
        told: dict[str, Any] = {"model": self.model or model, **json.loads("{" + usual + "}")}
        told["stream"] = False
        told[top] = _wrapped(inner.split(".") if inner else [])
        return json.dumps(told).replace(f'"{PLACE}"', filling, 1).encode()


def _wrapped(inner: list[str]) -> Any:
    """Return what leads to the place of a filling: lists for numbers, objects for names."""
    if not inner:
        return PLACE
    if inner[0] == "0":
        return [_wrapped(inner[1:])]
    around: dict[str, Any] = {inner[0]: _wrapped(inner[1:])}
    if inner[0] == "content":
        return {"role": "user"} | around
    if inner[0] in ("text", "image_url"):
        return {"type": inner[0]} | around
    if inner[0] == "function":
        return {"type": "function"} | around
    return {"name": "f"} | around


def every_kind(size: int) -> list[Shape]:
    """Return each filling in each field of each route once, so large."""
    kinds = [
        Shape(path, where, what, size)
        for path, (_, _, fields) in FIELDS.items()
        for where in ("", *fields)
        for what in FILLINGS
    ]
    kinds += [Shape(path, BESIDE, what, size) for path in FIELDS for what in OBJECTS]
    again = [
        Shape(one.path, one.where, one.what, size, model=NATIVE)
        for one in kinds
        if one.path in TRANSLATED and one.where not in ("", BESIDE)
    ]
    return kinds + again
