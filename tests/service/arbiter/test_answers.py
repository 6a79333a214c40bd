"""Bytes and endings over HTTP: an engine that answers exactly what each test says."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from harness import running_arbiter, scripted
from synapse_common import protocol

QUESTION = '{"model":"a",  "messages":[{"role":"user","content":"Grüße \\u2764"}], "x":1.50}'
WHOLE = b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
TOKEN = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\n\n'
ABORT = b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\n'
END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
CHAT = "/v1/chat/completions"


async def whole(_request: web.BaseRequest) -> web.Response:
    return web.Response(
        body=WHOLE,
        headers={"content-type": "application/json", "x-request-id": "r7", "server": "uvicorn"},
    )


def streaming(*parts: bytes, breaks: bool = False) -> object:
    async def script(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0.005)
        if breaks and request.transport is not None:
            request.transport.abort()
        return response

    return script


async def test_bytes_pass_unchanged_in_both_directions() -> None:
    async with scripted(whole) as (home, engine):
        headers = {
            "content-type": "application/json",
            "authorization": "Bearer secret",
            "x-synapse-app": "chat",
            "x-request-id": "r7",
            "cookie": "a=b",
        }
        url = home.url + CHAT + "?beta=true"
        async with home.client.post(url, data=QUESTION.encode(), headers=headers) as answer:
            assert await answer.read() == WHOLE
            assert answer.headers["x-request-id"] == "r7"
            assert "uvicorn" not in answer.headers.get("server", "")
        asked = engine.asked[0]
        assert asked.body == QUESTION.encode()
        assert asked.path == CHAT
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["x-request-id"] == "r7"
        for secret in ("authorization", "cookie", "x-synapse-app"):
            assert secret not in asked.headers


async def test_a_stream_goes_out_event_by_event_as_it_comes() -> None:
    gate = asyncio.Event()

    async def script(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(TOKEN)
        await gate.wait()
        await response.write(TOKEN + END)
        return response

    async with (
        scripted(script) as (home, _engine),
        home.client.post(home.url + CHAT, data=QUESTION.encode()) as answer,
    ):
        assert await answer.content.readuntil(b"\n\n") == TOKEN
        gate.set()
        assert await answer.content.read() == TOKEN + END


@pytest.mark.parametrize(
    ("script", "code", "body"),
    [
        (streaming(TOKEN, TOKEN, ABORT + END), "engine_aborted", TOKEN + TOKEN),
        (streaming(TOKEN, TOKEN), "answer_truncated", TOKEN + TOKEN),
        (streaming(TOKEN, breaks=True), "engine_lost", TOKEN),
    ],
    ids=["aborted", "ended-early", "connection-broken"],
)
async def test_a_stream_that_ends_badly_ends_in_an_explicit_error(
    script: object, code: str, body: bytes
) -> None:
    async with scripted(script) as (home, _engine):  # type: ignore[arg-type]
        answer = await home.ask("a", stream=True)
        assert answer.status == 200
        assert answer.body.startswith(body)
        assert answer.code == code
        assert b"[DONE]" not in answer.body
        assert b"abort" not in answer.body.removesuffix(answer.body.rpartition(b"data: ")[2])


async def test_an_aborted_answer_in_one_piece_never_becomes_a_200() -> None:
    async def script(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=WHOLE.replace(b"stop", b"abort"))

    async with scripted(script) as (home, _engine):
        answer = await home.ask("a")
        assert (answer.status, answer.code) == (502, "engine_aborted")
        assert answer.headers["x-synapse-model"] == "a"


async def test_an_answer_in_one_piece_that_breaks_off_never_becomes_a_200() -> None:
    async def script(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "500"})
        await response.prepare(request)
        await response.write(WHOLE[:20])
        assert request.transport is not None
        request.transport.abort()
        return response

    async with scripted(script) as (home, _engine):
        answer = await home.ask("a")
        assert (answer.status, answer.code) == (502, "engine_lost")


async def test_an_engines_own_error_passes_unchanged() -> None:
    async def script(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=b'{"error": {"message": "too long"}}', status=400)

    async with scripted(script) as (home, _engine):
        answer = await home.ask("a")
        assert answer.status == 400
        assert answer.json["error"]["message"] == "too long"


async def test_a_redirect_is_not_followed() -> None:
    async def script(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=307, headers={"location": "http://127.0.0.1:1/"})

    async with scripted(script) as (home, _engine):
        assert (await home.ask("a")).status == 307


async def test_a_silent_engine_is_given_up_with_an_explicit_error() -> None:
    async def script(_request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    async with scripted(script, limits={"answer_s": 0.2}) as (home, _engine):
        answer = await home.ask("a")
        assert (answer.status, answer.code) == (504, "engine_silent")


async def test_a_client_that_leaves_cancels_its_request_in_the_engine() -> None:
    async def script(_request: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("never reached")

    async with scripted(script) as (home, engine):
        asking = asyncio.create_task(home.ask("a"))
        await home.until(lambda: bool(engine.asked), "the request to arrive")
        asking.cancel()
        await home.until(lambda: engine.asked[0].left, "the engine to see it leave")
        await home.until(lambda: not home.arbiter.scheduler.state.running, "its end")
        assert home.arbiter.scheduler.state.gpu.in_flight == 0


async def test_a_client_that_leaves_in_the_middle_of_a_stream_cancels_it_too() -> None:
    async def script(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(TOKEN)
            await asyncio.sleep(0.002)

    async with scripted(script) as (home, engine):
        async with home.client.post(home.url + CHAT, data=QUESTION.encode()) as answer:
            await answer.content.readuntil(b"\n\n")
        await home.until(lambda: not home.arbiter.scheduler.state.running, "its end")
        await home.until(engine.asked[0].answered.is_set, "the engine to be told")


async def test_a_client_that_leaves_while_it_waits_wakes_nothing() -> None:
    async with running_arbiter("a", "b", awake="a", engine={"ttft_s": 0.5}) as home:
        busy = asyncio.create_task(home.ask("a"))
        await home.until(lambda: bool(home.arbiter.scheduler.state.running), "the first to run")
        waiting = asyncio.create_task(home.ask("b"))
        await home.until(lambda: home.waiting == 1, "the other to wait")
        waiting.cancel()
        await home.until(lambda: home.waiting == 0, "it to be forgotten")
        assert (await busy).status == 200
        assert home.simulators["b"].counters["wakes"] == 0


def comments(body: bytes) -> list[str]:
    """Return the comments of a stream."""
    return [line for line in body.decode().splitlines() if line.startswith(":")]


async def test_comments_keep_a_stream_alive_only_where_they_are_asked_for() -> None:
    async with running_arbiter("a", "b", awake="a", engine={"wake_s": 0.35}) as home:
        plain = await home.ask("b", stream=True)
        assert not plain.body.startswith(b":")
        pinged = await home.ask("a", stream=True, headers={"x-synapse-ping": "0.1"})
        assert pinged.status == 200
        first, *_, told = comments(pinged.body)
        assert first == ": waiting for the GPU: place 1, about 0 s"
        assert set(protocol.commented(f"{told}\n".encode())) == {protocol.WOKE, protocol.WAITED}
        assert pinged.body.endswith(b"data: [DONE]\n\n")
        whole_answer = await home.ask("b", headers={"x-synapse-ping": "0.1"})
        assert whole_answer.json["object"] == "chat.completion"


async def test_an_error_after_a_comment_is_an_event_of_the_stream() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"verify_s": 0.3}) as home:
        home.simulators["b"].faults.switch_on({"wake_stays_asleep": None})
        answer = await home.ask("b", stream=True, headers={"x-synapse-ping": "0.1"})
        assert answer.status == 200
        assert answer.code == "model_quarantined"


@pytest.mark.parametrize(
    ("path", "name"),
    [(CHAT, b""), ("/v1/responses", b"event: error\n"), ("/v1/messages", b"event: error\n")],
)
async def test_an_engines_error_after_a_comment_is_an_event_too(path: str, name: bytes) -> None:
    gate = asyncio.Event()

    async def script(_request: web.BaseRequest) -> web.Response:
        await gate.wait()
        return web.Response(body=b'{"error": {"message": "too long"}}', status=400)

    async with scripted(script, model={"concurrency": 1}) as (home, engine):
        first = asyncio.create_task(home.ask("a"))
        await home.until(lambda: bool(engine.asked), "the first to run")
        question = {"model": "a", "stream": True}
        headers = {"x-synapse-ping": "0.1"}
        async with home.client.post(home.url + path, json=question, headers=headers) as second:
            comment = await second.content.readuntil(b"\n\n")
            assert comment.startswith(b": waiting for the GPU: place 1, about ")
            gate.set()
            assert (await first).status == 400
            rest = await second.content.read()
        assert second.status == 200
        error = rest[rest.rindex(b"\n\n", 0, -2) + 2 :]
        assert error == name + b'data: {"error": {"message": "too long"}}\n\n'


async def test_a_drain_limit_cuts_a_stream_with_an_explicit_error() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"drain_s": 0.2}) as home:
        home.simulators["a"].faults.switch_on({"generation_hangs": {"times": 1}})
        long = asyncio.create_task(home.ask("a", stream=True))
        await home.until(lambda: bool(home.arbiter.scheduler.state.running), "it to run")
        other = await home.ask("b", max_tokens=1)
        cut = await long
        assert other.status == 200
        assert cut.code == "drain_limit"
        assert b"[DONE]" not in cut.body


async def test_a_drain_limit_cuts_an_answer_in_one_piece_with_a_503() -> None:
    async with running_arbiter("a", "b", awake="a", limits={"drain_s": 0.2}) as home:
        home.simulators["a"].faults.switch_on({"generation_hangs": {"times": 1}})
        long = asyncio.create_task(home.ask("a"))
        await home.until(lambda: bool(home.arbiter.scheduler.state.running), "it to run")
        assert (await home.ask("b", max_tokens=1)).status == 200
        assert ((await long).status, (await long).code) == (503, "drain_limit")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-synapse-max-wait", "soon"),
        ("x-synapse-max-wait", "-1"),
        ("x-synapse-max-wait", "nan"),
        ("x-synapse-priority", "urgent"),
        ("x-synapse-person", "p" * 129),
    ],
)
async def test_a_header_that_makes_no_sense_is_refused(header: str, value: str) -> None:
    async with scripted(whole) as (home, _engine):
        answer = await home.ask("a", headers={header: value})
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert header in answer.json["error"]["message"]


async def test_the_budget_is_the_headers_else_the_apps_else_the_models() -> None:
    apps = [{"name": "hasty", "max_wait_s": 0.0}, {"name": "patient", "max_wait_s": 600}]
    model = {"max_wait_s": 0.0}
    async with running_arbiter("a", "b", awake="a", apps=apps, model=model) as home:
        assert (await home.ask("b")).code == "wait_exceeds_budget"
        hasty = await home.ask("b", headers={"x-synapse-app": "hasty"})
        assert (hasty.status, hasty.code) == (503, "wait_exceeds_budget")
        assert int(hasty.headers["retry-after"]) >= 1
        wait = {"x-synapse-app": "hasty", "x-synapse-max-wait": "600"}
        assert (await home.ask("b", headers=wait)).status == 200
        assert (await home.ask("a", headers={"x-synapse-app": "patient"})).status == 200


async def test_people_of_an_application_take_turns_where_they_wait() -> None:
    ended: list[str] = []
    async with running_arbiter(
        "a", awake="a", model={"concurrency": 1}, engine={"ttft_s": 0.1}
    ) as home:
        admission = home.arbiter.scheduler.admission

        async def ask(person: str, app: str) -> None:
            headers = {"x-synapse-app": app, "x-synapse-person": person}
            assert (await home.ask("a", headers=headers)).status == 200
            ended.append(person)

        async with asyncio.TaskGroup() as asking:
            for number in range(6):
                asking.create_task(ask("ann", "webui"))
                await home.until(lambda: admission.waiting >= number, "Ann to wait")  # noqa: B023
            asking.create_task(ask("bob", "webui"))
    assert "bob" in ended[:4], ended


async def test_a_batch_request_is_answered_too() -> None:
    async with scripted(whole) as (home, _engine):
        assert (await home.ask("a", headers={"x-synapse-priority": "batch"})).status == 200


async def test_a_form_names_its_model_in_a_field() -> None:
    async with scripted(whole) as (home, engine):
        form = aiohttp.FormData()
        form.add_field("file", b"\x00\xff" * 100, filename="a.wav", content_type="audio/wav")
        form.add_field("model", "a")
        url = f"{home.url}/v1/audio/transcriptions"
        async with home.client.post(url, data=form) as answer:
            assert answer.status == 200
        assert b"\x00\xff" * 100 in engine.asked[0].body
        without = aiohttp.FormData()
        without.add_field("file", b"x", filename="a.wav")
        async with home.client.post(url, data=without) as answer:
            assert (await answer.json())["error"]["message"] == "The form names no model."
