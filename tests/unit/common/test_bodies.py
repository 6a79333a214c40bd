"""A body is counted before it is parsed, and its long base64 comes out as it came in."""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import secrets
import string
import sys
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoken import CUTS, pieces
from synapse_common.bodies import incoming, parsing
from synapse_common.bodies.aside import NONCE, NUMBER, SHOWN, Aside
from synapse_common.bodies.incoming import BLOCK, LONG, MIB, Body, BodyLimits, Incoming

TIGHT = BodyLimits(text_bytes=2 * BLOCK, entries=10, containers=10, keys=10)
LETTERS = string.ascii_letters + string.digits + "+/"
LENGTHS = st.sampled_from(
    [0, 1, SHOWN, LONG - 1, LONG, LONG + 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 2]
)
LONG_TEXTS = st.builds(
    lambda length, letter, around: around[0] + letter * length + around[1],
    LENGTHS,
    st.sampled_from(LETTERS),
    st.tuples(st.text(max_size=5), st.text(max_size=5)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | LONG_TEXTS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LONG_TEXTS, inner, max_size=4),
    max_leaves=8,
)


def read(parts: list[bytes], limits: BodyLimits | None = None) -> Body:
    body = Incoming(limits or BodyLimits())
    for part in parts:
        body.feed(part)
    return body.finish()


@given(JSON, CUTS, st.booleans())
def test_what_is_sent_on_is_what_came_however_it_was_split(
    told: Any, cuts: list[int], ascii_only: bool
) -> None:
    raw = json.dumps({"model": "a", "told": told}, ensure_ascii=ascii_only).encode()
    body = read(pieces(raw, cuts))
    assert b"".join(body.aside.restored(body.text)) == raw, "the bytes themselves"
    written = orjson.dumps(parsing.loads(body.text) | {"model": "b"})
    assert json.loads(b"".join(body.aside.restored(written))) == {"model": "b", "told": told}


@pytest.mark.parametrize("step", [1460, BLOCK, 200_000, 20 * MIB])
def test_a_picture_is_not_copied_and_hardly_parsed(step: int) -> None:
    picture = base64.b64encode(secrets.token_bytes(4 * MIB)).decode()
    raw = json.dumps({"url": f"data:image/png;base64,{picture}", "text": 'say "hi"'}).encode()
    parts = [raw[at : at + step] for at in range(0, len(raw), step)]
    body = read(parts)
    assert len(body.text) < 4 * BLOCK, "bytes that reach the parser"
    tracemalloc.start()
    told = parsing.loads(body.text)
    sent = body.aside.restored(orjson.dumps(told))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB
    assert sum(map(len, sent)) == len(orjson.dumps(orjson.loads(raw)))
    assert told["url"].startswith("data:image/png;base64," + picture[:SHOWN])
    assert body.costs < len(raw) + 2 * MIB


@pytest.mark.parametrize("odd", ["", "=", "==", "-", "_", "\n"])
def test_whether_base64_is_good_can_be_seen_without_all_of_it(odd: str) -> None:
    text = base64.b64encode(bytes(300_000)).decode() + odd
    body = read([orjson.dumps([text])])
    (shown,) = parsing.loads(body.text)
    assert len(shown) < BLOCK * 2 < len(text)
    assert len(shown) % 4 == len(text) % 4
    assert body.aside.length(shown) == len(text)
    seen = []
    for each in (text, shown):
        try:
            base64.b64decode(each, validate=True)
        except ValueError:
            seen.append(False)
        else:
            seen.append(True)
    assert seen[0] == seen[1]


def test_a_mark_cannot_be_guessed() -> None:
    taken = [Aside().take([b"A" * LONG]) for _ in range(2)]
    assert taken[0] != taken[1]
    assert len(taken[0]) - SHOWN - LONG % 4 == NONCE + NUMBER


def test_without_setting_aside_all_is_text() -> None:
    raw = orjson.dumps(["A" * 300_000])
    body = Incoming(BodyLimits(), sets_aside=False)
    body.feed(raw)
    assert body.finish().text == raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[" + b"1," * 11 + b"1]", "more than 10 commas"),
        (b"[]" * 11, "more than 10 opening brackets and braces"),
        (b"{}" * 11, "more than 10 opening brackets and braces"),
        (b'{"a":' * 11, "more than 10"),
        (b"x:" * 11, "more than 10 colons"),
        (b'"' + b"x " * (BLOCK + 1), "more than 0.125 MiB beside what it holds in base64"),
        (b'"' + b"-_" * (BLOCK + 1), "more than 0.125 MiB"),
    ],
)
@pytest.mark.parametrize("step", [1000, 10**9])
def test_too_much_is_refused_before_it_is_parsed(raw: bytes, why: str, step: int) -> None:
    parts = [raw[at : at + step] for at in range(0, len(raw), step)]
    with pytest.raises(incoming.TooMuchError, match=why):
        read(parts, TIGHT)


def test_it_is_refused_while_it_still_comes() -> None:
    body = Incoming(TIGHT)
    with pytest.raises(incoming.TooMuchError):
        body.feed(b"," * BLOCK)
    assert body.size == BLOCK


@pytest.mark.parametrize("opening", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("levels", [parsing.LEVELS - 1, parsing.LEVELS + 1, 500, 2000])
def test_depth_is_bounded_without_walking(opening: tuple[bytes, bytes], levels: int) -> None:
    raw = opening[0] * levels + b"1" + opening[1] * levels
    if levels < parsing.LEVELS:
        assert parsing.loads(raw) == orjson.loads(raw)
    else:
        with pytest.raises(ValueError, match=r"nested more than 64 levels|depth"):
            parsing.loads(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 70, b"]" * 70, b"[]" * 70, b"[]],[[]" + b",[]" * 70,
        b'{"a":1}],[{"b":' + b"[]," * 70, b"[" + b"[]," * 70 + b"[]],[]",
        b"[" * 65 + b"}" * 65, b"1" + b"],[" * 70 + b"1",
    ],
)  # fmt: skip
def test_brackets_do_not_lead_out_of_the_text(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1 column|nested"):
        parsing.loads(raw)


@given(JSON)
def test_what_is_parsed_is_what_any_parser_reads(told: Any) -> None:
    raw = orjson.dumps([told, *[[]] * 70])
    assert parsing.loads(raw) == orjson.loads(raw)


@pytest.mark.parametrize("raw", [b"[" + b"[]," * 70 + b"[]]", b"[" * 70, b"[" * 70 + b"]" * 70])
def test_garbage_is_collected_again_afterwards(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        parsing.loads(raw)
    assert gc.isenabled()


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(ValueError, match="byte order mark"):
        parsing.loads(b"\xef\xbb\xbf{}")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"' + b"x" * MIB + b'"}', b'{"a":"' + "é".encode() * MIB + b'"}',
        b'{"a":"' + b"\\ud83d\\ude00" * (MIB // 12) + b"x" * MIB + b'"}',
        b"[" + b"{}," * 50_000 + b"{}]", b"[" + b'"ab",' * 200_000 + b'""]',
        b"[" + b",".join(b'{"a%d":1}' % n for n in range(50_000)) + b"]",
    ],
    ids=["ascii", "latin", "wide", "objects", "texts", "keys"],
)  # fmt: skip
def test_what_a_body_is_said_to_take_is_enough(raw: bytes) -> None:
    body = Incoming(BodyLimits(), sets_aside=False)
    body.feed(raw)
    whole = body.finish()
    told = parsing.loads(whole.text)
    written = orjson.dumps(told)
    assert len(whole.text) + taken(told) + len(written) <= whole.costs


def taken(told: Any) -> int:
    """Return the bytes of memory of everything in it, each text with what writing it left there."""
    inner: list[Any] = []
    if isinstance(told, dict):
        inner = [*told.keys(), *told.values()]
    elif isinstance(told, list):
        inner = told
    return sys.getsizeof(told) + sum(map(taken, inner))


@given(JSON)
def test_structure_is_counted_outside_of_texts(told: Any) -> None:
    def count(of: Any) -> int:
        if isinstance(of, dict):
            return 1 + len(of) + sum(map(count, of.values()))
        return 1 + sum(map(count, of)) if isinstance(of, list) else 0

    told = [told, '[{:"}]', "\\", ':"[']
    assert parsing.structure(orjson.dumps(told)) == count(told)
