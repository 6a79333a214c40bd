"""Recordings as files: one answer a line, so that a difference shows which one changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vllm_recorder.battery import Kind

FOLDER = Path(__file__).parents[2] / "recordings" / "vllm"
# What an answer consists of: status, headers, and its content under what it is: json, events,
# metrics, bytes (their number) or text; `cut` when only its beginning was kept, `broken` when the
# connection broke.
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """How one server answered the battery."""

    version: str
    kind: Kind
    model: str
    max_model_len: int
    answers: dict[str, Answer]


def save(recording: Recording, path: Path) -> None:
    """Write a recording."""
    head = {
        "version": recording.version,
        "kind": recording.kind,
        "model": recording.model,
        "max_model_len": recording.max_model_len,
    }
    answers = [f" {_line(name)}: {_line(answer)}" for name, answer in recording.answers.items()]
    text = _line(head)[:-1] + ', "answers": {\n' + ",\n".join(answers) + "\n}}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def load(path: Path) -> Recording:
    """Read a recording."""
    return Recording(**json.loads(path.read_text()))


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
