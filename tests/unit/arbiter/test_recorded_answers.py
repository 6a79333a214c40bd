"""The real vLLM's recorded answers are whole, but for those that were cut while it recorded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_arbiter.errors import RefusedError
from synapse_arbiter.web.endpoints import ENDPOINTS
from synapse_arbiter.web.stream_guard import StreamGuard
from vllm_recorder.battery import Case, battery

RECORDINGS = sorted((Path(__file__).parents[2] / "recordings/vllm").glob("*-generate.json"))


def answered() -> Iterator[Any]:
    """Yield every request on a path of ours whose 200 was recorded to its end."""
    for path in RECORDINGS:
        recorded = json.loads(path.read_text())["answers"]
        for case in battery("generate"):
            answer = recorded.get(case.name, {"cut": True})
            ours = case.method == "POST" and case.path in ENDPOINTS
            if ours and "cut" not in answer and answer["status"] == 200:
                yield pytest.param(case, answer, id=f"{path.stem}: {case.name}")


def as_bytes(event: Any) -> bytes:
    """Write one recorded event as it came."""
    name, data = event if isinstance(event, list) else (None, event)
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


@pytest.mark.parametrize(("case", "answer"), list(answered()))
def test_a_recorded_answer_is_whole_unless_it_was_cut(case: Case, answer: Any) -> None:
    fields = case.body if isinstance(case.body, dict) else {}
    endpoint = ENDPOINTS[case.path]
    judge = endpoint.judge(endpoint.answers(fields))
    guard = StreamGuard(judge)
    cut = False
    try:
        if "events" in answer:
            guard.feed(b"".join(map(as_bytes, answer["events"])))
            cut = guard.refused is not None
            guard.finish()
        else:
            judge.whole(json.dumps(answer["json"]).encode())
    except RefusedError:
        cut = True
    assert (cut or judge.doubtful) if case.interruption else not cut
