"""What a name adds reaches a provider outside through the real LiteLLM, from every dialect."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from every_dialect import words
from openai_stub import OpenAIStub

HI = [{"role": "user", "content": "hi"}]
ASKS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HI, "reasoning_effort": "low", "temperature": 0.9},
    "/v1/responses": {"input": "hi", "reasoning": {"effort": "low"}},
    "/v1/messages": {
        "messages": HI,
        "max_tokens": 500,
        "thinking": {"type": "enabled", "budget_tokens": 400},
    },
    "/api/chat": {"messages": HI, "think": "low"},
    "/api/generate": {"prompt": "hi", "think": "low"},
}
EVERY = pytest.mark.parametrize("path", ASKS)


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("name", "effort"), [("thinks", "medium"), ("hastens", "none"), ("ponders", "high")]
)
def test_a_provider_gets_openais_effort_and_the_rest(
    client: httpx.Client, cloud: OpenAIStub, path: str, stream: bool, name: str, effort: str
) -> None:
    asked = {"model": f"cloud-{name}", **ASKS[path], "stream": stream}
    answer = client.post(path, json=asked)
    assert (answer.status_code, words(answer)) == (200, "Hello from the stub"), answer.text
    body = cloud.received[-1].body
    assert "Be brief." in str(body.get("instructions") or body["messages"][0]["content"])
    told = body.get("reasoning_effort") or body["reasoning"]
    assert (told if isinstance(told, str) else told["effort"]) == effort
    if name == "thinks":
        assert body["temperature"] == 0.2
    if name == "hastens":
        limits = ("max_tokens", "max_completion_tokens", "max_output_tokens")
        assert 99 in [body.get(limit) for limit in limits]
    ignored = answer.headers["x-synapse-ignored"].split(", ")
    assert any(name.startswith(("reasoning", "think")) for name in ignored)
