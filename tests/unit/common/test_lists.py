"""Long lists of numbers are not parsed, and stand in the answer as the engine wrote them."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
from typing import Any

import pytest

from synapse_common.answers import lists, whole
from synapse_common.answers.judges import CutShort, Entries
from synapse_common.answers.lists import Lists
from synapse_common.bodies.budget import Budget, room
from synapse_gateway.ollama import from_native, to_native

TEXTS = [f"text {number}" for number in range(300)]
VECTORS = [[round(random.uniform(-1, 1), 7) for _ in range(384)] for _ in TEXTS]
OPENAIS = {
    "data": [{"index": n, "embedding": vector} for n, vector in enumerate(VECTORS)],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}
OLLAMAS = {"embeddings": VECTORS, "prompt_eval_count": 3}


def through(payload: bytes, asking: Any) -> tuple[Any, int]:
    """Return what a client reads of an engine's answer, and how many bytes of it were parsed."""

    async def run() -> tuple[Any, int]:
        left = Lists()
        text = await left.left_out(payload)
        pieces = await left.restored(asking.whole(text, left))
        return json.loads(b"".join(pieces)), len(text)

    return asyncio.run(run())


def test_vectors_are_turned_into_ollamas_unread() -> None:
    asking = from_native("/api/embed", {"model": "m", "input": TEXTS})
    told, parsed = through(json.dumps(OPENAIS).encode(), asking)
    assert told["embeddings"] == VECTORS
    assert parsed < 100 * len(TEXTS)


@pytest.mark.parametrize("dimensions", [None, 384])
def test_and_into_openais(dimensions: int | None) -> None:
    fields = {"input": TEXTS, "dimensions": dimensions}
    told, parsed = through(json.dumps(OLLAMAS).encode(), to_native("embeddings", fields, "m", "m"))
    assert [one["embedding"] for one in told["data"]] == VECTORS
    assert parsed < 100 * len(TEXTS)


def test_and_into_base64() -> None:
    asking = to_native("embeddings", {"input": TEXTS, "encoding_format": "base64"}, "m", "m")
    told, _ = through(json.dumps(OLLAMAS).encode(), asking)
    read = [base64.b64decode(one["embedding"]) for one in told["data"]]
    assert read == [struct.pack("<384f", *vector) for vector in VECTORS]


def test_a_length_that_is_wrong_is_seen() -> None:
    asking = to_native("embeddings", {"input": TEXTS, "dimensions": 500}, "m", "m")
    with pytest.raises(Exception, match="at most 384"):
        through(json.dumps(OLLAMAS).encode(), asking)


def test_base64_is_not_read_either_and_counts_as_an_entry() -> None:
    data = [{"embedding": base64.b64encode(bytes(4096)).decode()} for _ in TEXTS]
    text = asyncio.run(Lists().left_out(json.dumps({"data": data}).encode()))
    assert len(text) < 200 * len(TEXTS)
    Entries(len(TEXTS)).whole(text)
    with pytest.raises(CutShort):
        Entries(len(TEXTS) + 1).whole(text)


@pytest.mark.parametrize("unit", [b"{}", b"[]", b'"a b"'])
def test_an_answer_that_would_take_long_to_parse_is_refused(unit: bytes) -> None:
    payload = b"[" + b",".join([unit] * (lists.TEXT_AT_MOST // len(unit))) + b"]"
    with pytest.raises(CutShort) as cut:
        asyncio.run(Lists().left_out(payload))
    assert cut.value.code == "answer_too_large"


class Endless:
    """An answer that never ends."""

    def __init__(self) -> None:
        self.content = self
        self.pieces = 0

    def at_eof(self) -> bool:
        return False

    async def readany(self) -> bytes:
        self.pieces += 1
        return b"x" * 1024**2


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    answer: Any = Endless()
    with Budget(room(1024), RuntimeError).held_by("a") as held, pytest.raises(CutShort):
        asyncio.run(whole.read_whole(answer, held))
    assert answer.pieces == whole.ANSWER_AT_MOST // 1024**2 + 1


def test_an_answer_is_held_as_a_body_is() -> None:
    answer: Any = Endless()
    with Budget(room(256), RuntimeError).held_by("a") as held, pytest.raises(RuntimeError):
        asyncio.run(whole.read_whole(answer, held))
    assert answer.pieces < whole.ANSWER_AT_MOST // 1024**2
