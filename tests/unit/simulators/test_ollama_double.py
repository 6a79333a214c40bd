"""The double of Ollama answers as the real one was recorded: same keys, kinds and statuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from ollama_recorder import FOLDER, Answer, load
from openai_stub import Behaviour, OpenAIStub

RECORDED = load(FOLDER / "0.24.0.json")
# What the double does not simulate: it knows every model, and none that thinks or is too small.
NOT_SIMULATED = ("unknown", "no model", "thinking", "too long", "unsupported", "loop")
SIMULATED = [
    answer for name, answer in RECORDED.items() if not any(word in name for word in NOT_SIMULATED)
]


@pytest.fixture(scope="module")
def stub() -> Iterator[OpenAIStub]:
    running = OpenAIStub(free_ports(1)[0])
    running.start()
    yield running
    running.shutdown()


@pytest.fixture(autouse=True)
def _healthy(stub: OpenAIStub) -> None:
    stub.reset()


@pytest.mark.parametrize("recorded", SIMULATED, ids=lambda answer: answer.name)
def test_it_answers_as_recorded(stub: OpenAIStub, recorded: Answer) -> None:
    told = ask(stub, recorded)
    assert told.status_code == recorded.status
    assert told.headers["content-type"].partition(";")[0] == recorded.kind
    rows, others = read(told.text), read(recorded.text)
    assert kinds(rows[0]) == kinds(others[0])
    assert kinds(rows[-1]) == kinds(others[-1])
    if "error" in others[0]:
        assert rows == others


@pytest.mark.parametrize("name", ["generate loop", "generate loop stream"])
def test_it_breaks_off_as_recorded(stub: OpenAIStub, name: str) -> None:
    stub.behaviours["chat"] = Behaviour(words=(" a",) * 31, finish_reason=None)
    rows, others = read(ask(stub, RECORDED[name]).text), read(RECORDED[name].text)
    assert kinds(rows[-1]) == kinds(others[-1])
    assert rows[-1]["done"] is others[-1]["done"] is False
    assert len(rows) == len(others)


@pytest.mark.parametrize("name", ["chat too long", "generate too long", "embeddings too long"])
def test_it_refuses_in_ollamas_shape(stub: OpenAIStub, name: str) -> None:
    recorded = RECORDED[name]
    message = json.loads(recorded.text)["error"]
    for model in ("chat", "embed"):
        stub.behaviours[model] = Behaviour(status=recorded.status, message=message)
    told = ask(stub, recorded)
    assert (told.status_code, told.json()) == (recorded.status, json.loads(recorded.text))


def test_it_ends_early_without_an_ending(stub: OpenAIStub) -> None:
    stub.behaviours["chat"] = Behaviour(ends_after_words=2)
    rows = read(ask(stub, RECORDED["chat stream"]).text)
    assert [row["done"] for row in rows] == [False, False]
    stub.behaviours["chat"] = Behaviour(dies_after_words=1)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(stub, RECORDED["chat stream"])


def ask(stub: OpenAIStub, recorded: Answer) -> httpx.Response:
    method = "GET" if recorded.request is None else "POST"
    url = f"http://127.0.0.1:{stub.port}{recorded.path}"
    return httpx.request(method, url, json=recorded.request, timeout=10)


def read(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line]


def kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: kinds(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
