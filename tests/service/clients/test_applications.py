"""What applications send that are not started here, each read in its own source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest

from gateway_process import Gateway, events
from openai_stub import OpenAIStub

from .conftest import WORDS

KEY = "sk-synapse-free"
HI = [{"role": "user", "content": "hi"}]
TOOL = {"name": "HassTurnOn", "description": "Turns on.", "parameters": {"type": "object"}}


@pytest.fixture
def bare(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client without headers of its own."""
    with httpx.Client(base_url=gateway.url, timeout=30) as made:
        yield made


class TestOpenWebUI:
    """Open WebUI 0.12.4 (PyPI open-webui), seen on the wire."""

    HEADERS: ClassVar = {
        "authorization": f"Bearer {KEY}",
        "x-openwebui-user-name": "Ada%20Lovelace",
        "x-openwebui-user-id": "5b1d",
        "x-openwebui-user-email": "ada@example.com",
        "x-openwebui-user-role": "admin",
        "x-openwebui-chat-id": "c0ffee",
    }

    def test_an_address_with_a_slash_at_its_end(self, bare: httpx.Client) -> None:
        answer = bare.get("/v1//models", headers=self.HEADERS)
        assert "gpu-chat" in {model["id"] for model in answer.raise_for_status().json()["data"]}

    def test_a_chat_with_many_tools_and_no_stream_options(self, bare: httpx.Client) -> None:
        tools = [{"type": "function", "function": {**TOOL, "name": f"t{n}"}} for n in range(36)]
        body = {"stream": True, "model": "gpu-chat", "messages": HI, "tools": tools}
        answer = bare.post("/v1//chat/completions", json=body, headers=self.HEADERS)
        assert answer.status_code == 200, answer.text
        told = events(answer.text)
        assert told[-1] == "[DONE]"
        choices = [each for event in told[:-1] for each in event["choices"]]
        text = "".join(choice["delta"].get("content") or "" for choice in choices)
        assert len(text.split()) == WORDS
        assert choices[-1]["finish_reason"] == "stop"

    def test_voices_are_listed_as_it_reads_them(self, bare: httpx.Client) -> None:
        answer = bare.get("/v1/audio/voices", headers=self.HEADERS)
        assert answer.status_code == 200, answer.text
        assert answer.json()["voices"]
        for voice in answer.json()["voices"]:
            assert voice["id"]
            assert voice["name"]

    def test_reranking(self, bare: httpx.Client) -> None:
        """Its external reranker sends top_n with all documents."""
        documents = ["rain", "sun"]
        body = {"model": "gpu-rank", "query": "x", "documents": documents, "top_n": len(documents)}
        answer = bare.post("/v1/rerank", json=body, headers=self.HEADERS)
        results = answer.raise_for_status().json()["results"]
        assert sorted(result["index"] for result in results) == [0, 1]
        assert all("relevance_score" in result for result in results)


class TestHomeAssistant:
    """home-assistant/core, homeassistant/components/ollama and openai_conversation, entity.py."""

    @pytest.mark.parametrize("model", ["gpu-chat", "cpu-chat"])
    def test_ollama_conversation(self, bare: httpx.Client, cpu: OpenAIStub, model: str) -> None:
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": "Be short."}, *HI],
            "tools": [{"type": "function", "function": TOOL}],
            "stream": True,
            "keep_alive": -1,
            "options": {"num_ctx": 8192},
            "think": False,
        }
        if model == "cpu-chat":
            del body["tools"]  # the stand-in would call one
        answer = bare.post("/api/chat", json=body, headers={"authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200, answer.text
        pieces = [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]
        text = "".join(piece["message"]["content"] for piece in pieces)
        assert len(text.split()) == (WORDS if model == "gpu-chat" else 4)
        assert (pieces[-1]["done"], pieces[-1]["done_reason"]) == (True, "stop")

    def test_its_list_of_models(self, bare: httpx.Client) -> None:
        answer = bare.get("/api/tags", headers={"authorization": f"Bearer {KEY}"})
        assert "gpu-chat" in {one["model"].partition(":")[0] for one in answer.json()["models"]}
        stranger = bare.get("/api/tags", headers={"authorization": "Bearer sk-x"})
        assert stranger.status_code == 401, "it then says that the key is wrong"

    def test_openai_conversation(self, bare: httpx.Client) -> None:
        body = {
            "model": "gpu-chat",
            "input": [{"type": "message", "role": "developer", "content": "Be short."},
                      {"type": "message", "role": "user", "content": "hi"}],
            "max_output_tokens": 3000,
            "top_p": 1.0,
            "temperature": 1.0,
            "user": "01J0",
            "store": False,
            "stream": True,
            "tools": [{"type": "function", **TOOL, "strict": False}],
        }  # fmt: skip
        headers = {"authorization": f"Bearer {KEY}"}
        answer = bare.post("/v1/responses", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        kinds = [event["type"] for event in events(answer.text)]
        assert kinds[-1] == "response.completed"
        assert kinds.count("response.output_text.delta") == WORDS


class TestContinue:
    """continuedev/continue, core/llm/llms/OpenAI.ts and packages/openai-adapters/src/apis."""

    HEADERS: ClassVar = {"authorization": f"Bearer {KEY}", "api-key": KEY, "x-api-key": KEY}

    def test_a_chat_with_its_stops(self, bare: httpx.Client) -> None:
        stops = ["<|im_end|>", "<|endoftext|>", "</s>", "[INST]", "```\n\n", "\n\n\n"]
        body = {"messages": HI, "model": "gpu-chat", "max_tokens": 4096, "stream": True}
        body |= {"stop": stops, "stream_options": {"include_usage": True}}
        answer = bare.post("/v1/chat/completions", json=body, headers=self.HEADERS)
        assert answer.status_code == 200, answer.text
        usage = [event["usage"] for event in events(answer.text)[:-1] if event.get("usage")]
        assert usage[-1]["completion_tokens"] == WORDS

    def test_the_old_completions(self, bare: httpx.Client) -> None:
        body = {"model": "gpu-chat", "prompt": "hi", "max_tokens": 7, "stream": True, "stop": ["@"]}
        answer = bare.post("/v1/completions", json=body, headers=self.HEADERS)
        told = events(answer.raise_for_status().text)
        text = "".join(choice["text"] for event in told[:-1] for choice in event["choices"])
        assert len(text.split()) == 7

    def test_reranking(self, bare: httpx.Client) -> None:
        body = {"model": "gpu-rank", "query": "x", "documents": ["rain", "sun"]}
        answer = bare.post("/v1/rerank", json=body, headers=self.HEADERS)
        assert len(answer.raise_for_status().json()["results"]) == 2
