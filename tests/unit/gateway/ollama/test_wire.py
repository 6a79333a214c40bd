"""Lines, events and errors as they travel."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import CUTS, VALUES, pieces
from synapse_gateway.ollama import wire


@given(st.lists(st.binary(max_size=20)), CUTS)
def test_lines_come_whole_however_they_were_cut(given: list[bytes], cuts: list[int]) -> None:
    rows = [row.replace(b"\n", b"") for row in given]
    reader = wire.LineReader()
    data = b"".join(row + b"\n" for row in rows)
    found = [row for piece in pieces(data, cuts) for row in reader.feed(piece)]
    assert found == [row for row in rows if row.strip()]


@given(VALUES)
def test_every_value_survives(value: object) -> None:
    assert wire.read(wire.dumps({"x": value})) == {"x": value}


@pytest.mark.parametrize("text", ["\ud800", "😀\udfff"])
def test_half_a_surrogate_survives(text: str) -> None:
    assert json.loads(wire.dumps({"x": text})) == {"x": text}


def test_numbers_that_no_float_holds_survive() -> None:
    assert wire.dumps(wire.read(b'{"x":12345678901234567890123}')) == (
        b'{"x":12345678901234567890123}'
    )


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"x":NaN}', b'{"x":-Infinity}', b"\xff", b"[" * 10**5]
)
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(ConnectionError):
        wire.read(data)


def test_endless_lines_are_a_fault() -> None:
    reader = wire.LineReader()
    reader.feed(b"x" * wire.LINE_LIMIT_BYTES)
    with pytest.raises(ConnectionError):
        reader.feed(b"x")
