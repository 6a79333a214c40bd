"""A site may let anybody read which voices there are: Open WebUI asks for them without a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started
from openai_stub import OpenAIStub
from synapse_gateway.open_voices import PER_MINUTE

VOICES = "/v1/audio/voices"


@pytest.fixture(scope="module")
def open_gateway(
    gateway_config: dict[str, Any], speech: OpenAIStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway of a site that allows it."""
    port, metrics_port, inner_port = free_ports(3)
    ports = {"port": port, "metrics_port": metrics_port, "inner_port": inner_port}
    settings = {**gateway_config["settings"], **ports, "voices_without_key": True}
    running = Gateway(tmp_path_factory.mktemp("open"), {**gateway_config, "settings": settings})
    with started(running):
        yield running


def get(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    return httpx.get(gateway.url + path, headers=headers)


@pytest.mark.parametrize("authorization", [None, "", "Bearer"])
def test_every_voice_of_the_site_is_listed(
    open_gateway: Gateway, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    told = get(open_gateway, VOICES, **headers).raise_for_status().json()
    assert {voice["id"] for voice in told["voices"]} == {"alloy", "thorsten"}
    assert {voice["model"] for voice in told["voices"]} == {"piper", "piper-lonely"}
    assert get(open_gateway, "/audio/voices").status_code == 200


def test_nothing_else_is(open_gateway: Gateway) -> None:
    for path in ("/v1/models", "/v1/audio/models", "/api/tags", "/v1/usage"):
        assert get(open_gateway, path).status_code in (401, 404), path
    assert httpx.post(open_gateway.url + VOICES, json={}).status_code == 405
    body = {"model": "piper", "input": "hi", "voice": "alloy"}
    assert httpx.post(open_gateway.url + "/v1/audio/speech", json=body).status_code == 401


def test_a_key_counts_where_one_is_sent(open_gateway: Gateway) -> None:
    wrong = get(open_gateway, VOICES, authorization="Bearer sk-wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    own = get(open_gateway, VOICES, authorization="Bearer sk-synapse-narrow")
    assert own.json()["voices"] == []


def test_an_address_may_ask_so_often(open_gateway: Gateway) -> None:
    for _ in range(PER_MINUTE + 1):
        answer = get(open_gateway, VOICES)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert get(open_gateway, VOICES, authorization="Bearer sk-synapse-free").status_code == 200
