"""The shapes say what they mean: JSON that parses, of their size, the same when read again."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from abuse import cases, forms, heads, search, shapes
from abuse.shapes import Shape

SIZE = 2000
LIMITS = search.limits_of(20, 26)


@pytest.mark.parametrize("path", shapes.FIELDS)
def test_every_body_is_json_of_about_its_size(path: str) -> None:
    for shape in shapes.every_kind(SIZE):
        if shape.path == path:
            body = shape.body()
            json.loads(body)
            assert SIZE / 2 < len(body) < 2 * SIZE, shape


def test_a_field_is_filled_where_the_shape_says() -> None:
    told = json.loads(Shape("/v1/chat/completions", "messages.0.content.0.text", "text", 5).body())
    part = {"type": "text", "text": "aaaaa"}
    assert told["messages"] == [{"role": "user", "content": [part]}]
    assert told["model"] == "sees"


def test_deep_and_packed_and_in_pieces() -> None:
    shape = Shape("/v1/messages", "metadata", "deep arrays", 100, depth=20, packed=True, piece=7)
    sent = shape.request()
    assert b"transfer-encoding: chunked" in sent.head
    assert json.loads(gzip.decompress(sent.body))["metadata"][0] == json.loads(
        "[" * 20 + "1" + "]" * 20
    )
    assert sent.pieces().startswith(b"7\r\n")
    assert sent.pieces().endswith(b"0\r\n\r\n")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    kinds: list[cases.AnyShape] = [
        Shape("/v1/messages", "messages", "objects", 9, packed=True),
        *forms.every_kind(9),
        *heads.every_kind(9),
    ]
    cases.save(kinds, tmp_path / "kept.json")
    assert set(cases.load(tmp_path / "kept.json")) == set(kinds)


def test_no_mutation_is_over_the_limits() -> None:
    chance = random.Random(3)
    shape: cases.AnyShape = Shape("/v1/messages", "messages", "objects", 2**19)
    for _ in range(200):
        shape = search.mutated(shape, LIMITS, chance)
        assert shape.size <= LIMITS[Shape]


def test_the_worst_known_are_within_the_limits() -> None:
    assert all(shape.size <= LIMITS[type(shape)] for shape in cases.load())
