"""Clients nobody here wrote work unchanged: OpenAI's packages for Python and JavaScript."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from gateway_process import Gateway
from openai_stub import Behaviour, OpenAIStub

JS = Path(__file__).parent / "js"
INSTALL_TIMEOUT_S = 120
RUN_TIMEOUT_S = 60
MESSAGES: Any = [{"role": "user", "content": "hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]


@pytest.fixture
def python(gateway: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's Python client."""
    url = f"{gateway.url}/v1"
    with openai.OpenAI(base_url=url, api_key="sk-synapse-free", max_retries=0) as client:
        yield client


def test_python_chats(python: openai.OpenAI, gpu: OpenAIStub) -> None:
    answer = python.chat.completions.create(model="chat", messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello from the stub"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 11


def test_python_streams(python: openai.OpenAI, gpu: OpenAIStub) -> None:
    stream = python.chat.completions.create(model="chat", messages=MESSAGES, stream=True)
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hello from the stub"
    )


def test_python_calls_tools(python: openai.OpenAI, gpu: OpenAIStub) -> None:
    answer = python.chat.completions.create(model="chat", messages=MESSAGES, tools=TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    stream = python.chat.completions.create(
        model="chat", messages=MESSAGES, tools=TOOLS, stream=True
    )
    calls = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.function.name for call in calls if call.function] == ["weather"]


def test_python_embeds(python: openai.OpenAI, cpu: OpenAIStub) -> None:
    answer = python.embeddings.create(model="minilm", input=["a", "bcd"])
    assert len(answer.data[1].embedding) == 3


def test_python_lists_models(python: openai.OpenAI) -> None:
    assert "chat" in {model.id for model in python.models.list()}
    assert python.models.retrieve("minilm").owned_by == "ollama"


def test_python_understands_refusals(python: openai.OpenAI, gpu: OpenAIStub) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        python.chat.completions.create(model="nothing", messages=MESSAGES)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        python.with_options(api_key="sk-x").models.list()


def test_python_notices_an_interrupted_stream(python: openai.OpenAI, gpu: OpenAIStub) -> None:
    gpu.behaviours["gpu"] = Behaviour(dies_after_words=2)
    with pytest.raises(openai.APIError, match="interrupted"):
        for _ in python.chat.completions.create(model="chat", messages=MESSAGES, stream=True):
            pass


def test_javascript_does_it_all(gateway: Gateway, gpu: OpenAIStub, cpu: OpenAIStub) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    assert npm is not None, "npm is missing: make setup-system installs it"
    assert node is not None
    subprocess.run(
        [npm, "ci", "--silent"], cwd=JS, check=True, timeout=INSTALL_TIMEOUT_S, capture_output=True
    )
    environment = {"BASE_URL": f"{gateway.url}/v1", "API_KEY": "sk-synapse-free"}
    ran = subprocess.run(
        [node, "chat.mjs"],
        cwd=JS, env={**os.environ, **environment}, timeout=RUN_TIMEOUT_S, capture_output=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    told = json.loads(ran.stdout)
    assert told["answer"] == told["streamed"] == "Hello from the stub"
    assert (told["tool"], told["dimensions"]) == ("weather", 3)
    assert "chat" in told["models"]
    assert told["refused"] == {"name": "NotFoundError", "code": "model_not_found", "status": 404}
