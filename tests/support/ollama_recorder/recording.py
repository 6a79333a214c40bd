"""A file of requests with the answers that a real Ollama gave."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "ollama"


@dataclass(frozen=True)
class Answer:
    """One request and what came back, word for word."""

    name: str
    path: str
    request: dict[str, Any] | None
    """The body; None: a GET."""
    status: int
    kind: str
    """The content type, without its parameters."""
    text: str


def save(version: str, answers: list[Answer]) -> Path:
    """Write the answers of one version and return where they are."""
    path = FOLDER / f"{version}.json"
    rows = [asdict(answer) for answer in answers]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    return path


def load(path: Path) -> dict[str, Answer]:
    """Read such a file."""
    answers = [Answer(**row) for row in json.loads(path.read_text())]
    return {answer.name: answer for answer in answers}
