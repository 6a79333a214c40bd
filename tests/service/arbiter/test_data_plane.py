"""The proxy over HTTP, in front of simulated engines: what goes in and out is unchanged."""

import asyncio
import json

import pytest
from aiohttp import web

from harness import running_arbiter, scripted


async def test_an_answer_is_the_engines_own_and_says_how_it_came_about() -> None:
    async with running_arbiter("a", "b", awake="a") as home:
        answer = await home.ask("a")
        assert answer.status == 200
        assert answer.json["choices"][0]["finish_reason"] == "length"
        assert answer.headers["x-synapse-model"] == "a"
        assert answer.headers["x-synapse-woke"] == "false"
        assert float(answer.headers["x-synapse-waited"]) == 0.0


async def test_a_sleeping_model_is_woken_for_a_request_and_the_other_put_to_sleep() -> None:
    async with running_arbiter("a", "b", awake="a") as home:
        answer = await home.ask("b")
        assert answer.status == 200
        assert answer.headers["x-synapse-woke"] == "true"
        assert float(answer.headers["x-synapse-waited"]) > 0.0
        assert home.simulators["a"].engine.is_sleeping
        assert not home.simulators["b"].engine.is_sleeping


async def test_a_stream_passes_through_byte_by_byte() -> None:
    async with running_arbiter("a", awake="a") as home:
        streamed = await home.ask("a", stream=True, seed=1, temperature=0)
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.body.endswith(b"data: [DONE]\n\n")
        for event in streamed.body.split(b"\n\n")[:-2]:
            json.loads(event.removeprefix(b"data: "))


async def test_listing_the_models_names_their_states_and_wakes_nothing() -> None:
    async with running_arbiter("a", "b", awake="a") as home:
        async with home.client.get(f"{home.url}/v1/models") as answer:
            models = (await answer.json())["data"]
        async with home.client.get(f"{home.url}/v1/models/b") as answer:
            assert (await answer.json())["state"] == "asleep"
        assert {model["id"]: model["state"] for model in models} == {"a": "awake", "b": "asleep"}
        assert home.simulators["b"].counters["wakes"] == 0


async def test_a_picture_passes_as_the_bytes_that_came() -> None:
    async def whole(request: web.BaseRequest) -> web.StreamResponse:
        choice = {"index": 0, "finish_reason": "stop", "message": {"content": "a cat"}}
        return web.json_response({"choices": [choice]})

    url = "data:image/png;base64," + "iVBORw0K" * 100_000
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": 'a "b"'}]
    body = json.dumps({"messages": [{"role": "user", "content": parts}], "model": "a"}).encode()
    async with scripted(whole) as (home, engine):
        async with home.client.post(f"{home.url}/v1/chat/completions", data=body) as answer:
            assert answer.status == 200
        assert engine.asked[-1].body == body
        assert engine.asked[-1].headers["content-length"] == str(len(body))


async def test_thirty_at_once_on_one_model_are_thirty_answers() -> None:
    async with running_arbiter("a", "b", awake="b", model={"concurrency": 4}) as home:
        answers = await asyncio.gather(*(home.ask("a", str(i)) for i in range(30)))
        assert [answer.status for answer in answers] == [200] * 30


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"nonsense", "invalid_request"),
        (b"[]", "invalid_request"),
        (b'{"model": 3}', "invalid_request"),
        (b"{}", "invalid_request"),
        (b'{"model": "nobody"}', "model_not_found"),
    ],
    ids=["no-json", "a-list", "no-text", "no-model", "unknown-model"],
)
async def test_a_request_that_makes_no_sense_gets_an_openai_error(body: bytes, code: str) -> None:
    async with running_arbiter("a", awake="a") as home:
        url = f"{home.url}/v1/chat/completions"
        async with home.client.post(url, data=body) as answer:
            error = (await answer.json())["error"]
        assert error["code"] == code
        assert error["type"] == "invalid_request_error"
        assert answer.status in (400, 404)
