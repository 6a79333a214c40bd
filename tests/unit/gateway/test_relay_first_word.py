"""How long a stream may go without a first word, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from faithful_vllm import stream as vllm_stream
from relayed import Client, FakeEngines, Says, answered, config, model, request
from spoken import Said

pytestmark = pytest.mark.looptime
CHAT = "/v1/chat/completions"
LIMIT_S, STEP_S = 300.0, 50.0
KNOWN = config(
    model("gpu", "vllm", "cured", via_arbiter=True), model("other", "vllm", "cured"),
    model("cured", "vllm"), settings={"stream_timeout_s": LIMIT_S, "keepalive_s": 1000},
)  # fmt: skip
SAID = Said(thinking=[], words=["Hello"], calls=[], reason="stop", read=7, written=4)
WHOLE = b"".join(vllm_stream(CHAT, [SAID], []))


class Slowly:
    """Says the same comment every so often, and answers at the end."""

    def __init__(self, comments: int) -> None:
        self._left = comments

    async def read(self, _most: int) -> bytes:
        self._left -= 1
        if self._left >= 0:
            await asyncio.sleep(STEP_S)
            return b": ping\n\n"
        return WHOLE if self._left == -1 else b""


async def _served(name: str, comments: int) -> tuple[str | None, str | None]:
    slow, body = Says([]), {"model": name, "stream": True, "messages": []}
    slow.content = Slowly(comments)  # type: ignore[assignment]
    engines = FakeEngines({name: slow, "cured": Says([WHOLE])}, KNOWN)
    asked = request(CHAT, body, KNOWN)
    client = Client(CHAT)
    await answered(asked, engines, client, KNOWN)
    served = client.record.served
    return (served.name if served else None), client.record.reason


async def test_comments_are_no_first_word() -> None:
    assert await _served("other", 5) == ("other", None)
    began_s = asyncio.get_running_loop().time()
    assert await _served("other", 1000) == ("cured", "timeout")
    assert asyncio.get_running_loop().time() - began_s == LIMIT_S


async def test_the_arbiters_comments_tell_that_the_wait_for_the_gpu_goes_on() -> None:
    assert await _served("gpu", 30) == ("gpu", None)
