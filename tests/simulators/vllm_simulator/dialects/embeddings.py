"""/v1/embeddings: texts become vectors; like every request they wait while the engine sleeps."""

import base64
import json
import struct
import time
from typing import Any

from aiohttp import web

from vllm_simulator.checking import EmbeddingRequest, read
from vllm_simulator.dialects.common import new_id, settings_of
from vllm_simulator.dialects.pooling import listed, rows_of
from vllm_simulator.http_errors import refusal
from vllm_simulator.json_answer import json_answer


def add_routes(app: web.Application) -> None:
    """Add the route."""
    app.router.add_post("/v1/embeddings", embeddings)


async def embeddings(request: web.Request) -> web.StreamResponse:
    """Make the vector of each text."""
    asked = await read(request, EmbeddingRequest)
    answer_id = new_id(request, "embd-")
    if asked.dimensions is not None:
        model = settings_of(request).model
        raise refusal(
            f"Model '{model}' does not support Matryoshka embeddings; dimensions must be unset "
            f"(received dimensions={asked.dimensions})."
        )
    vectors, usage = await rows_of(request, answer_id, asked)
    if asked.encoding_format in ("bytes", "bytes_only"):
        return _raw(request, answer_id, vectors, usage, told=asked.encoding_format == "bytes")
    data = [
        {
            "index": place,
            "object": "embedding",
            "embedding": _base64(vector) if asked.encoding_format == "base64" else vector,
        }
        for place, vector in enumerate(vectors)
    ]
    return json_answer(listed(request, answer_id, data, usage))


def _raw(
    request: web.Request,
    answer_id: str,
    vectors: list[list[float]],
    usage: dict[str, Any],
    *,
    told: bool,
) -> web.Response:
    """Send the vectors behind each other; a header may say where each one is."""
    packed = [_packed(vector) for vector in vectors]
    headers = {"Content-Type": "application/octet-stream"}
    if told:
        parts = [
            {"index": place, "embed_dtype": "float32", "endianness": "native",
             "start": place * len(part), "end": (place + 1) * len(part),
             "shape": [len(vectors[place])]}
            for place, part in enumerate(packed)
        ]  # fmt: skip
        short = {name: usage[name] for name in ("prompt_tokens", "total_tokens")}
        model = settings_of(request).model
        head = {"id": answer_id, "created": int(time.time()), "model": model}
        headers["metadata"] = json.dumps({**head, "data": parts, "usage": short})
    return web.Response(body=b"".join(packed), headers=headers)


def _packed(vector: list[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def _base64(vector: list[float]) -> str:
    return base64.b64encode(_packed(vector)).decode()
