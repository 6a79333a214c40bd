"""An application that sends the largest bodies at once is answered, or told to come again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from gateway_process import Gateway, started
from openai_stub import Behaviour, OpenAIStub

CHAT = "/v1/chat/completions"
MEMORY_MIB, LARGE_MIB, AT_ONCE = 256, 15, 10
ROOM_MIB = MEMORY_MIB * 3 // 4 - 96
URL = "data:image/png;base64," + "iVBORw0K" * (LARGE_MIB * 1024**2 // 8)
PARTS = [{"type": "image_url", "image_url": {"url": URL}}]
LARGE = {"model": "sees", "messages": [{"role": "user", "content": PARTS}]}
SMALL = {"model": "gpu", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def tight(
    gateway_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway in a small pod, whose bodies may be as large as they are by default."""
    port, metrics_port = free_ports(2)
    settings = gateway_config["settings"] | {"json_body_mib": 20, "memory_mib": MEMORY_MIB}
    settings |= {"port": port, "metrics_port": metrics_port, "timeout_s": 20}
    made = Gateway(tmp_path_factory.mktemp("tight"), gateway_config | {"settings": settings})
    with started(made):
        yield made


def ask(gateway: Gateway, app: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"authorization": f"Bearer sk-synapse-{app}"}
    return httpx.post(gateway.url + CHAT, json=body, headers=headers, timeout=60)


def test_bodies_beyond_the_memory_are_refused_and_small_ones_served(
    tight: Gateway, gpu: OpenAIStub
) -> None:
    gpu.behaviours["sees"] = Behaviour(first_token_after_s=4)
    with ThreadPoolExecutor(AT_ONCE + 1) as asking:
        large = [asking.submit(ask, tight, "free", LARGE) for _ in range(AT_ONCE)]
        small = asking.submit(ask, tight, "single", SMALL).result()
        answers = [each.result() for each in large]
    refused = [answer for answer in answers if answer.status_code == 503]
    served = [answer for answer in answers if answer.status_code == 200]
    assert small.status_code == 200
    assert len(refused) + len(served) == AT_ONCE
    assert 1 <= len(served) <= ROOM_MIB // LARGE_MIB // 2
    for answer in refused:
        assert answer.json()["error"]["code"] == "gateway_full"
        assert answer.headers["retry-after"] == "5"
    assert tight.process is not None
    assert peak_mib(tight.pid) < MEMORY_MIB
    gpu.behaviours.clear()
    assert ask(tight, "free", LARGE).status_code == 200, "all of it was given back"


def peak_mib(pid: int) -> float:
    with open(f"/proc/{pid}/status") as status:
        (line,) = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
