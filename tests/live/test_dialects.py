"""Any model in any dialect: one on the GPU as its engine speaks it, one on Ollama translated."""

from typing import Any

import httpx
import pytest

from synapse_cli.cluster import Cluster

from .conftest import log_line
from .gpu import Gpu

HELLO = "Tell me about the server."
CONTEXT = 2048
"""What the model `chat` reads at most."""


def asked(path: str, text: str) -> dict[str, Any]:
    """The same question in the words of one dialect."""
    messages = [{"role": "user", "content": text}]
    return {
        "/v1/chat/completions": {"messages": messages, "max_tokens": 8},
        "/v1/responses": {"input": text, "max_output_tokens": 8},
        "/v1/messages": {"messages": messages, "max_tokens": 8},
        "/api/chat": {"messages": messages, "options": {"num_predict": 8}, "stream": False},
    }[path]


PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("name", "engine"), [("chat", "ollama"), ("assistant", "vllm")])
def test_a_model_answers_in_every_dialect(
    http: httpx.Client, cluster: Cluster, gpu: Gpu, path: str, name: str, engine: str
) -> None:
    answer = http.post(path, json={"model": name, **asked(path, HELLO)})
    assert answer.status_code == 200, answer.text
    line = log_line(cluster, answer.headers["x-request-id"])
    assert (line["engine"], line["fallback"]) == (engine, False)
    assert line["tokens_out"]


@pytest.mark.parametrize("path", PATHS)
def test_a_prompt_that_ollama_would_cut_is_refused_in_every_dialect(
    http: httpx.Client, path: str
) -> None:
    text = "word " * (2 * CONTEXT)
    answer = http.post(path, json={"model": "chat", **asked(path, text)})
    assert answer.status_code == 400, answer.text
    assert "context" in answer.text
