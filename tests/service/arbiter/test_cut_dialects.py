"""What each version of vLLM makes of answers that it aborts, and what clients get of that."""

import asyncio
from typing import Any

import pytest

from harness import Answer, Harness, running_arbiter

HELLO = [{"role": "user", "content": "hello"}]
LONG = 4000
DIALECTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO, "max_tokens": LONG, "ignore_eos": True},
    "/v1/completions": {"prompt": "hello", "max_tokens": LONG, "ignore_eos": True},
    "/v1/responses": {"input": "hello", "max_output_tokens": LONG, "ignore_eos": True},
    "/v1/messages": {"messages": HELLO, "max_tokens": LONG, "ignore_eos": True},
}
# So slow that no answer ends by itself, one at a time, so that the second one waits.
ENGINE = {"max_num_seqs": 1, "answer_tokens": LONG, "tokens_per_s": 200.0}


async def ask(home: Harness, path: str, stream: bool) -> Answer:
    """Ask for a long answer and read all of it."""
    question = {"model": "a", "stream": stream, **DIALECTS[path]}
    async with home.client.post(home.url + path, json=question) as got:
        return Answer(got.status, got.headers, await got.read())


@pytest.mark.parametrize("version", ["0.32.0", "0.33.0"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", DIALECTS)
async def test_whatever_the_engine_aborts_ends_in_an_explicit_error(
    path: str, stream: bool, version: str
) -> None:
    async with running_arbiter("a", awake="a", engine={**ENGINE, "version": version}) as home:
        history = home.simulators["a"].engine.history
        seen = len(history.arrivals)
        both = [asyncio.create_task(ask(home, path, stream)) for _ in range(2)]

        def one_speaks() -> bool:
            asked = list(history.arrivals)[seen:]
            long = [each for each in asked if each.max_tokens == LONG]
            return len(long) == 2 and any(each.completion_tokens > 1 for each in long)

        await home.until(one_speaks, "one to speak and one to wait")
        await home.simulators["a"].engine.sleep(1, "abort")
        for answer in await asyncio.gather(*both):
            assert answer.code in ("engine_aborted", "answer_truncated"), answer.body
            assert answer.status == (200 if stream else 502)
            assert b"response.completed" not in answer.body
            assert b"[DONE]" not in answer.body
            assert b"message_stop" not in answer.body
