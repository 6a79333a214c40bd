"""The same short request on every route, and how it is asked."""

from __future__ import annotations

from typing import Any

import httpx

from every_dialect import ASKED

Body = dict[str, Any]
SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt "
CHATS: dict[str, Body] = {
    **ASKED,
    "/v1/messages/count_tokens": {"messages": ASKED["/v1/messages"]["messages"]},
}
OTHERS: dict[str, tuple[str, Body]] = {
    "/v1/embeddings": ("embed", {"input": "hi"}),
    "/api/embed": ("embed", {"input": "hi"}),
    "/v1/rerank": ("ranks", {"query": "hi", "documents": ["a", "b"]}),
    "/v1/audio/speech": ("voice", {"input": "hi there", "voice": "alloy"}),
    "/v1/audio/transcriptions": ("ears", {}),
    "/v1/audio/translations": ("ears", {}),
}
"""By route, how the names of its models end, and what is asked."""


def ask(client: httpx.Client, path: str, model: str, **more: Any) -> httpx.Response:
    """Ask a model on a route."""
    if path.startswith("/v1/audio/trans"):
        return client.post(path, data={"model": model, **more}, files={"file": ("a.wav", SOUND)})
    told = CHATS.get(path) or OTHERS[path][1]
    return client.post(path, json={"model": model, **told, **more})
