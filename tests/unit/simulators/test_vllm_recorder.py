"""Recordings hold what two servers have in common, and comparing them finds what they have not."""

import json
from pathlib import Path
from typing import Any

from vllm_recorder import Recording, load, save
from vllm_recorder.comparing import Explained, differences
from vllm_recorder.describing import describe

JSON = {"Content-Type": "application/json", "Date": "today"}
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}
WORDS = Explained("*.word", "words differ")


def answer(**fields: Any) -> dict[str, Any]:
    return {"status": 200, "json": fields}


def told(*events: Any) -> bytes:
    return "".join(f"data: {json.dumps(each)}\n\n" for each in events).encode()


def test_what_a_server_makes_up_is_replaced() -> None:
    body = {
        "id": "chatcmpl-914fb03587e4c875",
        "created": 1795946297,
        "root": "/models/tiny",
        "system_fingerprint": "vllm-0.33.0-cb56cc7d",
        "tokens": [5, 6, 7, 8],
    }
    assert describe(200, JSON, json.dumps(body).encode()) == {
        "status": 200,
        "content-type": "application/json",
        "json": {
            "id": "chatcmpl-ID",
            "created": 0,
            "root": "ROOT",
            "system_fingerprint": "vllm-0.33.0-BUILD",
            "tokens": [5, 6, 7],
        },
    }


def test_a_version_of_a_build_is_the_version() -> None:
    described = describe(200, JSON, b'{"version": "0.33.0+cpu"}')
    assert described["json"] == {"version": "0.33.0"}


def test_of_events_of_one_shape_in_a_row_the_first_stays() -> None:
    body = told({"a": "x"}, {"a": "y"}, {"a": None}, {"a": "z"}) + b"data: [DONE]\n\n"
    assert describe(200, EVENTS, body)["events"] == [{"a": "x"}, {"a": None}, {"a": "z"}, "[DONE]"]


def test_events_of_several_choices_are_sorted() -> None:
    order = [0, 1, 0, 1]
    body = told(*({"choices": [{"index": index}]} for index in order), {"choices": []})
    events = describe(200, EVENTS, body)["events"]
    first, second = ({"choices": [{"index": index}]} for index in (0, 1))
    assert events == [first, second, {"choices": []}]


def test_named_events_keep_their_name() -> None:
    body = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
    assert describe(200, EVENTS, body)["events"] == [["message_stop", {"type": "message_stop"}]]


def test_metrics_are_names_types_and_labels() -> None:
    body = b'# TYPE a:b gauge\na:b{engine="0",model_name="x"} 1.0\n'
    described = describe(200, {"Content-Type": "text/plain; version=1.0.0"}, body)
    assert described["metrics"] == {"a:b": ["gauge", "engine", "model_name"]}


def test_of_raw_vectors_the_size_stays() -> None:
    raw = {"Content-Type": "application/octet-stream"}
    assert describe(200, raw, b"\xff" * 8) == {
        "status": 200,
        "content-type": "application/octet-stream",
        "bytes": 8,
    }


def test_a_broken_connection_is_part_of_the_answer() -> None:
    assert describe(200, {}, b"", broken=True) == {"status": 200, "broken": True}


def test_a_difference_is_found_at_its_path() -> None:
    found = differences("x", answer(a=[1, {"b": 2}]), answer(a=[1, {"b": 3}]), [])
    assert [str(each) for each in found] == ["json.a.1.b: recorded 2, simulated 3"]


def test_true_is_not_one_and_null_is_not_absent() -> None:
    found = differences("x", answer(a=True, b=None), answer(a=1), [])
    assert [each.path for each in found] == ["json.a", "json.b"]


def test_an_explained_difference_needs_the_same_type() -> None:
    (words,) = differences("x", answer(word="a"), answer(word="b"), [WORDS])
    (null,) = differences("x", answer(word="a"), answer(word=None), [WORDS])
    (nested,) = differences("x", answer(word={"a": 1}), answer(word={"a": 2}), [WORDS])
    assert [each.explained for each in (words, null, nested)] == [WORDS, None, None]


def test_a_reason_counts_only_in_its_cases() -> None:
    table = [Explained("json.a", "only there", case="chat: *")]
    (there,) = differences("chat: x", answer(a=1), answer(a=2), table)
    (elsewhere,) = differences("message: x", answer(a=1), answer(a=2), table)
    assert (there.explained, elsewhere.explained) == (table[0], None)


def test_of_a_cut_stream_the_beginning_is_compared() -> None:
    recorded = {"status": 200, "cut": True, "events": ["a"]}
    assert differences("x", recorded, {"status": 200, "events": ["a", "b"]}, []) == []
    assert differences("x", recorded, {"status": 200, "events": ["c", "b"]}, []) != []


def test_a_metric_that_the_real_server_lacks_is_a_difference() -> None:
    recorded = {"metrics": {"a": ["gauge"], "b": ["gauge"]}}
    (found,) = differences("x", recorded, {"metrics": {"a": ["gauge"], "c": ["gauge"]}}, [])
    assert found.path == "metrics.c"


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    recording = Recording("0.33.0", "generate", "tiny", 2048, {"x": answer(a="ä"), "y": answer()})
    save(recording, tmp_path / "x.json")
    assert load(tmp_path / "x.json") == recording
