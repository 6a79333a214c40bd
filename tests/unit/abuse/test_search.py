"""The search finds what is worst, and the table hides nothing."""

from __future__ import annotations

from dataclasses import replace

from abuse import search, table
from abuse.cases import AnyShape
from abuse.measuring import Cost
from abuse.shapes import Shape
from abuse.story import Row
from abuse.wire import Answer

CHEAP = Cost("answered", 200, "", 2, 2, 0.01, 0.01, 0.01, 1.0, lives=True)


def cost(shape: AnyShape) -> Cost:
    """One filling of one field costs by its size."""
    if isinstance(shape, Shape) and (shape.where, shape.what) == ("tools", "nulls"):
        return replace(CHEAP, longest_work_s=shape.size / 2**20)
    return CHEAP


def test_the_worst_is_found_and_made_worse() -> None:
    limits = search.limits_of(20, 26)
    found = search.Search(cost, limits, first=5000, limit_s=60).run()
    worst = found[0].shape
    assert (getattr(worst, "where", ""), worst.what) == ("tools", "nulls")
    assert worst.size == limits[Shape]
    assert worst.kind in [shape.kind for shape in search.worst_of(found, 2)]


def test_a_search_without_time_ends_at_once() -> None:
    assert search.Search(cost, search.limits_of(20, 26), limit_s=-1).run() == []


def test_the_table_counts_every_request_and_shows_faults() -> None:
    row = Row("a case", 3, 1, 1, 9, 8, 0.25, 0.1, 77.6, ("one hung",))
    (line,) = table.lines([row])
    assert line == ("a case", "3", "1", "1", "9", "8", "0.25 s", "78 MiB", "no")
    assert table.markdown([line]).splitlines()[-1] == f"| {' | '.join(line)} |"


def test_every_end_is_told_apart() -> None:
    events = {"content-type": "text/event-stream"}
    ends = {
        b'data: {"x":1}\n\ndata: [DONE]\n\n': "answered",
        b'data: {"error":{"message":"away"}}\n\n': "error",
        b'data: {"type":"response.completed","response":{"error": null}}\n\n': "answered",
        b'data: {"type":"error","error":{"message":"away"}}\n\n': "error",
        b'{"done": true}\n': "answered",
        b'data: {"x":1}\n\n': "short",
        b"": "short",
    }
    for body, outcome in ends.items():
        assert Answer(200, events, body, 0.0).outcome == outcome
    assert Answer(503, {}, b'{"error":{"message":"full"}}', 0.0).reason == "full"
    assert Answer(0, {}, b"", 0.0, "ConnectionResetError").outcome == "broken"
    assert Answer(200, events, b"data: [DONE]", 0.0, "TimeoutError").outcome == "hung"
