"""Whatever JSON a body is, in whatever field of any route: an answer or a reason, never 500."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from openai_stub import Behaviour, OpenAIStub
from synapse_common.bodies.parsing import LEVELS
from synapse_gateway.routes import ROUTES, Shape

DEEP = "[" * (LEVELS - 4) + "]" * (LEVELS - 4)
ODD = {
    "infinite": "1e999", "nan": "NaN", "infinity": "-Infinity", "minus-zero": "-0",
    "huge": "9" * 40, "beyond-64-bits": str(2**64), "half-a-pair": r'"\ud800"',
    "deep": DEEP, "too-deep": "[" * LEVELS + "]" * LEVELS, "deeper": "[" * 300 + "]" * 300,
    "twice": '{"a": 1, "a": [2]}', "null": "null", "empty": "{}", "list": "[[], {}, 1, null]",
    "control": '"\\u0000"', "text": '"hi"', "yes": "true", "tiny": "1e-400",
}  # fmt: skip
FIELDS = (
    "messages", "input", "prompt", "tools", "stop", "seed", "n", "temperature", "images", "format",
    "options", "query", "documents", "queries", "text_1", "text_2", "tokens", "system", "metadata",
    "response_format", "logit_bias", "chat_template_kwargs", "structured_outputs", "guided_json",
    "voice", "keep_alive", "think", "user", "model", "name", "stream", "stream_options",
    "tool_choice", "functions", "suffix", "raw", "template", "dimensions", "encoding_format",
    "unheard-of",
)  # fmt: skip
SOUND = {"messages": '[{"role": "user", "content": "hi"}]', "input": '"hi"', "prompt": '"hi"'}
MODELS = {"chat": ("gpu", "cpu"), "embedding": ("embed-gpu", "minilm"), "speech": ("piper",)}
PATHS = [path for path, route in ROUTES.items() if route.shape is Shape.JSON]
CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]
ARGUMENTS = [
    '{"a": 123456789012345678901234567890}', r'{"a": "\ud800"}', '{"a": 1e999}', '{"a": NaN}', "[]",
    '{"a":' * 200 + "1" + "}" * 200, '{"a": ' + "9" * 5000 + "}", "",
]  # fmt: skip


def fine(answer: httpx.Response) -> bool:
    return answer.status_code != 500 and "internal_error" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_value_is_no_fault_of_the_gateway(
    client: httpx.Client, gpu: OpenAIStub, cpu: OpenAIStub, speech: OpenAIStub, path: str
) -> None:
    models, known = MODELS.get(ROUTES[path].kind, ("gpu",)), ROUTES[path].allowed
    names = [name for name in FIELDS if not known or name in known or name == "unheard-of"]

    def ask(case: tuple[str, str, str]) -> tuple[tuple[str, str, str], str] | None:
        model, name, odd = case
        told = {"model": f'"{model}"', **SOUND, name: ODD[odd]}
        body = "{" + ", ".join(f'"{key}": {value}' for key, value in told.items()) + "}"
        answer = client.post(path, content=body)
        return None if fine(answer) else (case, answer.text)

    with ThreadPoolExecutor(8) as asking:
        answers = asking.map(ask, itertools.product(models, names, ODD))
        assert [answer for answer in answers if answer] == []


@pytest.mark.parametrize("model", ["gpu", "cpu", "cloud"])
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_so_it_is_in_the_text_of_a_tool_call(
    client: httpx.Client,
    gpu: OpenAIStub,
    cpu: OpenAIStub,
    cloud: OpenAIStub,
    model: str,
    arguments: str,
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
    ]
    assert fine(client.post(CHAT, json={"model": model, "messages": messages}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("\ufeff{}".encode(), "byte order mark"), ('{"a": 1}'.encode("utf-16"), "not valid JSON"),
        (b'{"a": "\xff"}', "UTF-8"), (b"", "not valid JSON"), (b"[1]", "must be a JSON object"),
        (b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", "nested more than 64 levels"),
        (b'{"a":[' + b"1," * 400_001 + b"1]}", "more than 400000 commas"),
        (b'{"a":[' + b"{}," * 100_001 + b"1]}", "more than 100000 opening brackets"),
        (b"{" + b",".join(b'"%d":1' % n for n in range(300)) + b"}", "at most 256 fields"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", PATHS)
def test_what_is_wrong_with_a_body_is_said(
    client: httpx.Client, path: str, content: bytes, why: str
) -> None:
    answer = client.post(path, content=content)
    assert answer.status_code == 400
    assert why in answer.text


def picture(size: int) -> dict[str, Any]:
    url = "data:image/png;base64," + "iVBORw0K" * (size // 8)
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": 'a "b"'}]
    return {"messages": [{"role": "user", "content": parts}]}


def test_a_picture_reaches_the_engine_as_it_came(client: httpx.Client, gpu: OpenAIStub) -> None:
    sent = picture(900_000)
    assert client.post(CHAT, json={"model": "sees", **sent}).status_code == 200
    assert gpu.received[-1].body["messages"] == sent["messages"]


def test_a_fallback_gets_the_whole_picture_too(client: httpx.Client, gpu: OpenAIStub) -> None:
    sent = picture(900_000)
    gpu.behaviours["sees"] = Behaviour(status=503)
    assert client.post(CHAT, json={"model": "sees", **sent}).status_code == 200
    assert [each.body["messages"] == sent["messages"] for each in gpu.received] == [True, True]
    assert [each.body["model"] for each in gpu.received] == ["sees", "sees-too"]


def test_a_long_name_of_a_field_is_told_shortly(client: httpx.Client, gpu: OpenAIStub) -> None:
    answer = client.post(CHAT, json={"model": "gpu", "messages": HI, "odd " * 50_000: 1})
    assert answer.status_code == 200
    assert len(answer.headers["x-synapse-ignored"]) < 100
