"""Starting with a good configuration only, following rotated keys, and stopping without loss."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, command, environment, events, started, until, write_config
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
GOOD: dict[str, Any] = {"model": "gpu", "messages": [{"role": "user", "content": "my secret"}]}
KEYS_FOLLOW_S = 15
CHECK_TIMEOUT_S = 300
FREE = {"authorization": "Bearer sk-synapse-free"}


@pytest.fixture(scope="module")
def own(
    gateway_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that these tests may stop: it logs prompts and drains for two seconds."""
    port, metrics_port = free_ports(2)
    settings = {**gateway_config["settings"], "port": port, "metrics_port": metrics_port}
    settings |= {"log_prompts": True, "drain_timeout_s": 2}
    config = {**gateway_config, "settings": settings}
    running = Gateway(tmp_path_factory.mktemp("own"), config)
    with started(running):
        yield running


def start(folder: Path, gateway: dict[str, Any]) -> tuple[int, str]:
    """Start with a bad configuration; return the exit status and what it said."""
    arguments = write_config(folder, gateway)
    ran = subprocess.run(
        command(arguments), cwd=folder, env=environment(),
        timeout=CHECK_TIMEOUT_S, capture_output=True,
    )  # fmt: skip
    return ran.returncode, ran.stderr.decode()


def test_a_fault_of_our_own_is_told_at_once(tmp_path: Path, gateway_config: dict[str, Any]) -> None:
    aliases = [{"name": "chat", "model": "gone"}]
    status, said = start(tmp_path, {**gateway_config, "aliases": aliases})
    assert status == 1
    assert 'alias chat: model "gone" is no model' in said


def test_prompts_are_logged_when_switched_on(own: Gateway, gpu: OpenAIStub) -> None:
    answer = httpx.post(own.url + CHAT, json=GOOD, headers=FREE)
    assert own.line_of(answer.headers["x-request-id"])["prompt"] == GOOD["messages"]


def test_a_rotated_key_counts_without_a_restart(own: Gateway) -> None:
    def status(key: str) -> int:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.get(f"{own.url}/v1/models", headers=headers).status_code

    (own.folder / "keys/narrow").write_text("sk-synapse-narrow-2")
    until(lambda: status("sk-synapse-narrow-2") == 200, KEYS_FOLLOW_S, lambda: "not noticed")
    assert status("sk-synapse-narrow") == 401
    (own.folder / "keys/narrow").unlink()
    until(lambda: status("sk-synapse-narrow-2") == 401, KEYS_FOLLOW_S, lambda: "not forgotten")
    assert status("sk-synapse-free") == 200


def test_a_stopped_gateway_finishes_or_ends_every_request(own: Gateway, gpu: OpenAIStub) -> None:
    gpu.behaviours["gpu"] = Behaviour(first_token_after_s=1)
    gpu.behaviours["lonely"] = Behaviour(words=tuple("x" * 200), between_tokens_s=0.5)

    def ask(model: str) -> httpx.Response:
        body = {**GOOD, "model": model, "stream": model == "lonely"}
        return httpx.post(own.url + CHAT, json=body, headers=FREE, timeout=60)

    with ThreadPoolExecutor(2) as pool:
        short, long = pool.submit(ask, "gpu"), pool.submit(ask, "lonely")
        until(lambda: len(gpu.received) == 2, 10, lambda: "the requests did not arrive")
        assert own.stop() == 0
        assert short.result().status_code == 200
        assert events(long.result().text)[-1]["error"]["code"] == "answer_interrupted"
