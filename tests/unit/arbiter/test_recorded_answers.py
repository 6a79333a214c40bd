"""The real vLLM's recorded answers are whole, but for those that were cut while it recorded."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from synapse_arbiter.engine.canary import proof
from synapse_common.answers.endpoints import ENDPOINTS
from synapse_common.answers.judges import CutShort
from synapse_common.answers.stream_guard import StreamGuard
from synapse_common.engines import GpuKind
from vllm_recorder import FOLDER, Case, battery, load

RECORDINGS = {path.stem: load(path) for path in sorted(FOLDER.glob("*.json"))}


def answered() -> Iterator[Any]:
    """Yield every request on a path of ours whose 200 was recorded to its end."""
    for name, recording in RECORDINGS.items():
        for case in battery(recording.kind):
            answer = recording.answers.get(case.name, {"cut": True})
            ours = case.method == "POST" and case.path in ENDPOINTS
            if ours and "cut" not in answer and answer["status"] == 200:
                yield pytest.param(case, answer, id=f"{name}: {case.name}")


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
            cut = guard.cut is not None
            guard.finish()
        elif "bytes" in answer:
            judge.whole(bytes(answer["bytes"]))
        else:
            judge.whole(json.dumps(answer["json"]).encode())
    except CutShort:
        cut = True
    assert (cut or judge.doubtful) if case.interruption else not cut


@pytest.mark.parametrize(
    ("recording", "case", "kind"),
    [
        ("0.33.0-generate", "completion: token ids", "chat"),
        ("0.33.0-embed", "embedding: one text", "embedding"),
        ("0.33.0-embed", "POST /v1/rerank", "rerank"),
        ("0.33.0-score", "POST /v1/rerank", "rerank"),
    ],
)
def test_a_recorded_answer_proves_that_an_engine_works(
    recording: str, case: str, kind: GpuKind
) -> None:
    proven = proof(kind, json.dumps(RECORDINGS[recording].answers[case]["json"]).encode())
    assert proven.tokens or proven.numbers
    assert proven.agrees_with(proven)
