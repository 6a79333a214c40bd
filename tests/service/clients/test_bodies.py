"""Bodies that a client compressed are read within the same limits as others."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path

import httpx
import pytest

from gateway_process import Gateway

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "gpu-chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
BOMB_MIB = 256


def post(http: httpx.Client, body: bytes, encoding: str) -> httpx.Response:
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    return http.post(CHAT, content=body, headers=headers)


def peak_mib(gateway: Gateway) -> float:
    """The most memory that the gateway ever had."""
    status = Path(f"/proc/{gateway.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_body_is_read(http: httpx.Client, encoding: str, pack: object) -> None:
    assert callable(pack)
    answer = post(http, pack(BODY), encoding)
    assert answer.status_code in (200, 415), answer.text
    if answer.status_code == 415:
        assert encoding in answer.json()["error"]["message"]
    if encoding == "gzip":
        assert answer.status_code == 200


def test_an_encoding_that_nobody_knows_is_named(http: httpx.Client) -> None:
    answer = post(http, BODY, "rot13")
    assert answer.status_code == 415, answer.text
    assert "rot13" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"no gzip at all", gzip.compress(BODY)[:-9]], ids=["other", "cut"]
)
def test_a_body_that_is_not_what_it_says_is_the_clients_mistake(
    http: httpx.Client, body: bytes
) -> None:
    answer = post(http, body, "gzip")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


def test_a_bomb_is_refused_and_takes_no_memory(http: httpx.Client, gateway: Gateway) -> None:
    packer = zlib.compressobj(level=9, wbits=31)
    chunks = [packer.compress(b" " * 2**20) for _ in range(BOMB_MIB)]
    bomb = b"".join([*chunks, packer.flush()])
    before = peak_mib(gateway)
    answer = post(http, bomb, "gzip")
    assert answer.status_code == 413, answer.text
    assert peak_mib(gateway) - before < BOMB_MIB / 8
    assert post(http, gzip.compress(BODY), "gzip").status_code == 200
