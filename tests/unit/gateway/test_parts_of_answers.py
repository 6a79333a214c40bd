"""A part of an answer never passes for the whole, wherever it ends and however it arrives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faithful_vllm
from conversing import CHAT, OPENAIS, REWRITTEN, STRAIGHT, ask, check_told, stream, whole
from faithful_vllm import counts
from spoken import ANSWERS, CUTS, Said, pieces

FEW = settings(max_examples=60)
SHARE = st.floats(0, 1, exclude_max=True)
SEVERAL = st.lists(ANSWERS, min_size=1, max_size=3)
ORDER = st.lists(st.integers(0, 5), max_size=20)
WAYS = st.sampled_from(sorted(REWRITTEN))
FIRST_OF_ENDS = (b"event: response.failed", b"event: error", b'data: {"error"')


def arriving(data: bytes, share: float, cuts: list[int], dies: bool) -> list[bytes | Exception]:
    """Return a part of the bytes in pieces; then the connection breaks, or just ends."""
    part = data.rstrip()[: int(share * len(data.rstrip()))]
    return [*pieces(part, cuts), *([aiohttp.ClientPayloadError()] if dies else [])]


@FEW
@given(st.sampled_from(STRAIGHT), SEVERAL, ORDER, CUTS, SHARE, st.booleans())
def test_a_part_of_a_stream(
    path: str, several: list[Said], order: list[int], cuts: list[int], share: float, dies: bool
) -> None:
    choices = several if path in OPENAIS else several[:1]
    told = b"".join(faithful_vllm.stream(path, choices, order))
    more: dict[str, Any] = {"stream": True} | ({"n": len(choices)} if path in OPENAIS else {})
    out = ask("vllm", path, arriving(told, share, cuts, dies), more)
    check_told(path, out)
    end = min(found for mark in FIRST_OF_ENDS if (found := out.heard.rfind(mark)) >= 0) if (
        out.refusal is None
    ) else 0  # fmt: skip
    assert told.replace(counts(choices), b"").startswith(out.heard[:end]), "and nothing is made up"


@FEW
@given(WAYS, ANSWERS, CUTS, SHARE, st.booleans())
def test_a_part_of_a_translated_stream(
    way: tuple[str, str], said: Said, cuts: list[int], share: float, dies: bool
) -> None:
    engine, path = way
    out = ask(engine, path, arriving(stream(way, said), share, cuts, dies), {"stream": True})
    check_told(path, out)


@FEW
@given(st.sampled_from(STRAIGHT), SEVERAL, SHARE)
def test_a_part_of_a_whole_answer(path: str, several: list[Said], share: float) -> None:
    choices = several if path in OPENAIS else several[:1]
    body = faithful_vllm.whole(path, choices)
    more = {"n": len(choices)} if path in OPENAIS else {}
    out = ask("vllm", path, arriving(body, share, [], dies=False), more)
    assert out.refusal is not None
    check_told(path, out)


@FEW
@given(WAYS, ANSWERS, SHARE)
def test_a_part_of_a_translated_whole_answer(
    way: tuple[str, str], said: Said, share: float
) -> None:
    engine, path = way
    out = ask(engine, path, arriving(whole(way, said), share, [], dies=False), {"stream": False})
    assert out.refusal is not None
    check_told(path, out)


@FEW
@given(SEVERAL, ORDER, CUTS, st.sampled_from(["abort", "error", "a new one"]), st.booleans())
def test_one_aborted_choice_spoils_all(
    several: list[Said], order: list[int], cuts: list[int], reason: str, streamed: bool
) -> None:
    choices = [*several[:-1], replace(several[-1], reason=reason)]
    told = [faithful_vllm.whole(CHAT, choices)]
    if streamed:
        told = faithful_vllm.stream(CHAT, choices, order)
    more = {"stream": streamed, "n": len(choices)}
    check_told(CHAT, ask("vllm", CHAT, pieces(b"".join(told), cuts), more))


@pytest.mark.parametrize("way", sorted(REWRITTEN))
@pytest.mark.parametrize("reason", ["abort", "error", "a new one"])
@pytest.mark.parametrize("streamed", [True, False])
def test_an_aborted_answer_is_none_in_translation(
    way: tuple[str, str], reason: str, streamed: bool
) -> None:
    said = Said(thinking=[], words=["Hello"], calls=[], reason=reason, read=7, written=4)
    told = stream(way, said) if streamed else whole(way, said)
    check_told(way[1], ask(way[0], way[1], [told], {"stream": streamed}))
