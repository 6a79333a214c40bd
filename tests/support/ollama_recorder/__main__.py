"""Record a running Ollama: python -m ollama_recorder http://127.0.0.1:11434.

It needs a chat model named `chat` and an embedding model named `embed`, each with 512 tokens of
context; the models for tools and thinking are made of the first and stay there.
"""

from __future__ import annotations

import json
import sys

import httpx

from ollama_recorder.battery import MODELS, battery
from ollama_recorder.recording import Answer, save

LIMIT_S = 120


def main() -> int:
    """Return 0 once the recording is written."""
    with httpx.Client(base_url=sys.argv[1], timeout=LIMIT_S) as client:
        for name, made in MODELS.items():
            body = {"model": name, "from": "chat", "stream": False, **made}
            client.post("/api/create", json=body).raise_for_status()
        answers = []
        for name, (path, request) in battery().items():
            method = "GET" if request is None else "POST"
            answer = client.request(method, path, json=request)
            kind = answer.headers["content-type"].partition(";")[0]
            told = _without_places(answer.text) if name == "show" else answer.text
            answers.append(Answer(name, path, request, answer.status_code, kind, told))
        version = client.get("/api/version").json()["version"]
    print(f"{len(answers)} answers are in {save(version, answers)}.")
    return 0


def _without_places(text: str) -> str:
    """Return what is known of a model without its parts and where its files lie."""
    told = json.loads(text)
    told |= {"modelfile": "", "tensors": [], "details": told["details"] | {"parent_model": ""}}
    return json.dumps(told)


if __name__ == "__main__":
    sys.exit(main())
