"""A packed body is whole or refused, and a small one that holds an immense one takes no memory."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import CUTS, pieces
from synapse_common.refusals import Refusal
from synapse_gateway import unpacking

MIB = 1024**2
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
}
PACKED = ["gzip", "deflate"]


def unpack(parts: list[bytes], packing: str) -> bytes:
    """Return the whole body that comes in these parts."""

    async def all_of_it() -> bytes:
        return b"".join([piece async for piece in unpacking.unpacked(_sent(parts), packing)])

    return asyncio.run(all_of_it())


async def _sent(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@given(st.binary(max_size=2000), st.sampled_from(list(PACKERS)), CUTS)
def test_a_body_arrives_whole_however_it_is_split(
    body: bytes, packing: str, cuts: list[int]
) -> None:
    assert unpack(pieces(PACKERS[packing](body), cuts), packing) == body


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("size", [MIB - 1, MIB, MIB + 1, 5 * MIB])
def test_a_body_of_any_size_arrives_whole(packing: str, size: int) -> None:
    assert unpack([PACKERS[packing](b"x" * size)], packing) == b"x" * size


@pytest.mark.parametrize("packing", PACKED)
def test_a_truncated_body_is_refused_wherever_it_ends(packing: str) -> None:
    packed = PACKERS[packing](b'{"model": "m", "messages": []}' * 20)
    for end in range(len(packed)):
        with pytest.raises(Refusal) as refused:
            unpack([packed[:end]], packing)
        assert refused.value.status == 400
        assert packing in refused.value.message


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("apart", [True, False])
def test_bytes_behind_the_end_are_refused_and_not_kept(packing: str, apart: bool) -> None:
    packed, read = PACKERS[packing](b"{}"), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield packed + (b"" if apart else b"x")
        while read < 1000:
            read += 1
            yield b"x" * 1000

    async def run() -> None:
        async for _ in unpacking.unpacked(endless(), packing):
            pass

    with pytest.raises(Refusal) as refused:
        asyncio.run(run())
    assert refused.value.status == 400
    assert read <= 1, "whoever sends more than a whole body is not listened to"


@pytest.mark.parametrize("packing", PACKED)
def test_what_is_not_packed_so_is_refused(packing: str) -> None:
    with pytest.raises(Refusal, match=f"not packed as {packing}") as refused:
        unpack([b'{"model": "m"}'], packing)
    assert refused.value.status == 400


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip, gzip", "rot13", "compress"])
def test_an_unknown_packing_is_named(packing: str) -> None:
    with pytest.raises(Refusal, match=packing) as refused:
        unpack([b"x"], packing)
    assert refused.value.status == 415


@pytest.mark.parametrize("packing", PACKED)
def test_a_bomb_is_unpacked_a_piece_at_a_time(packing: str) -> None:
    bomb = PACKERS[packing](b" " * (64 * MIB))
    assert len(bomb) < MIB / 4

    async def first() -> int:
        async for piece in unpacking.unpacked(_sent([bomb]), packing):
            return len(piece)
        return 0

    assert 0 < asyncio.run(first()) <= unpacking.PIECE
