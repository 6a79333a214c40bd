"""A stream is cut at its marks, whatever pieces it comes in and however long its parts are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import CUTS, pieces
from synapse_common.sse import LINES, MARK_BYTES, Cutter, EventReader

PARTS = st.lists(
    st.binary(min_size=1, max_size=12).map(lambda part: b"d" + part.replace(b"\n", b""))
)
MARKS = st.sampled_from([b"\n\n", b"\r\n\r\n", b"\n\r\n", b"\r\n\n"])


@given(PARTS, MARKS, CUTS)
def test_events_come_whole(parts: list[bytes], mark: bytes, cuts: list[int]) -> None:
    parts = [part.replace(b"\r", b"") for part in parts]
    reader = EventReader()
    data = b"".join(part + mark for part in parts)
    found = [part for piece in pieces(data, cuts) for part in reader.feed(piece)]
    assert found == parts


def test_blank_parts_say_nothing() -> None:
    assert EventReader().feed(b"a\n\n \n\n\r\n\r\nb\n\n") == [b"a", b"b"]


def test_a_part_over_the_limit_is_a_fault() -> None:
    cutter = Cutter(LINES, 10)
    assert cutter.feed(b"x" * 10 + b"\n") == [b"x" * 10]
    with pytest.raises(ConnectionError, match="larger than 10 bytes"):
        cutter.feed(b"x" * 11)


def test_a_long_part_in_small_pieces_is_looked_at_once() -> None:
    looked_at = 0

    class Counting:
        def finditer(self, data: bytearray, begin: int) -> Iterator[re.Match[bytes]]:
            nonlocal looked_at
            looked_at += len(data) - begin
            return iter(())

    cutter = Cutter(cast(re.Pattern[bytes], Counting()))
    for _ in range(1000):
        cutter.feed(b"x" * 100)
    assert looked_at <= 1000 * (100 + MARK_BYTES)
