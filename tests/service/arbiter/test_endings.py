"""Ends of answers over HTTP, in every dialect: what vLLM cuts never reaches a client as whole."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from aiohttp import web

from harness import Answer, Harness, ScriptedEngine, scripted
from harness.vllm_answers import (
    ABORT,
    BLOCK,
    COMPLETED,
    COUNTS,
    CREATED,
    DELTA,
    DONE,
    MESSAGE,
    MESSAGE_END,
    OWN_ERROR,
    ROLE,
    STOP,
    STOPPED_BY_ABORT,
    WORD,
    body,
    message_body,
    message_end,
    response,
    response_end,
    text,
)

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
EMPTY = {"tokens": 0, "output": False}
RESPONSE = json.dumps(response("completed")).encode()
Before = Callable[[ScriptedEngine], object]


def aborts(engine: ScriptedEngine) -> None:
    """Count one request as aborted, as vLLM does."""
    engine.aborted += 1


def stays_silent(_engine: ScriptedEngine) -> None:
    """Change nothing."""


def begins_to_tell(engine: ScriptedEngine) -> None:
    """Tell what it aborted, long ago perhaps."""
    engine.aborted, engine.tells = 7, True


def goes_away(engine: ScriptedEngine) -> None:
    """Tell no more, as vLLM once it was told to end: it aborts what runs and takes no call."""
    engine.tells = False


@asynccontextmanager
async def engine_says(
    answer: bytes, before_end: Before = stays_silent
) -> AsyncIterator[tuple[Harness, ScriptedEngine]]:
    """Serve an engine that always answers this; something happens before it does."""
    engines: list[ScriptedEngine] = []

    async def script(request: web.BaseRequest) -> web.StreamResponse:
        before_end(engines[0])
        if answer.startswith((b"data: ", b"event: ")):
            stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await stream.prepare(request)
            await stream.write(answer)
            return stream
        return web.Response(body=answer, content_type="application/json")

    async with scripted(script) as (home, engine):
        engines.append(engine)
        yield home, engine


async def ask(home: Harness, path: str, **fields: Any) -> Answer:
    """Ask for the one model and read the whole answer."""
    async with home.client.post(home.url + path, json={"model": "a", **fields}) as got:
        return Answer(got.status, got.headers, await got.read())


@pytest.mark.parametrize(
    ("path", "stream", "sound", "code"),
    [
        (CHAT, ROLE + WORD + ABORT + DONE, ROLE + WORD, "engine_aborted"),
        (CHAT, ROLE + DONE, ROLE, "answer_truncated"),
        (CHAT, ROLE + COUNTS + DONE, ROLE + COUNTS, "answer_truncated"),
        (COMPLETIONS, text("a") + text("", "abort") + DONE, text("a"), "engine_aborted"),
        (COMPLETIONS, DONE, b"", "answer_truncated"),
        (
            MESSAGES,
            MESSAGE + BLOCK + message_end({"stop_reason": None, "stop_sequence": None}),
            MESSAGE + BLOCK,
            "engine_aborted",
        ),
        (MESSAGES, MESSAGE + BLOCK + message_end({}), MESSAGE + BLOCK, "engine_aborted"),
        (
            MESSAGES,
            MESSAGE + message_end({"stop_reason": "end_turn"}, 0),
            MESSAGE,
            "engine_aborted",
        ),
        (
            RESPONSES,
            CREATED + response_end("response.completed", "completed", **EMPTY),
            CREATED,
            "engine_aborted",
        ),
    ],
    ids=[
        "chat-running",
        "chat-waiting",
        "chat-waiting-with-usage",
        "completions-running",
        "completions-waiting",
        "messages-running",
        "messages-running-no-reason",
        "messages-waiting",
        "responses-waiting",
    ],
)
async def test_a_cut_stream_ends_in_an_explicit_error(
    path: str, stream: bytes, sound: bytes, code: str
) -> None:
    async with engine_says(stream) as (home, _engine):
        answer = await ask(home, path, stream=True)
        assert (answer.status, answer.code) == (200, code)
        assert answer.body.startswith(sound)
        error = answer.body.removeprefix(sound)
        if path == RESPONSES:
            failed, error = error.split(b"\n\n", 1)
            assert failed.startswith(b"event: response.failed\ndata: {")
        named = path in (MESSAGES, RESPONSES)
        assert error.startswith(b"event: error\ndata: {" if named else b"data: {")
        assert error.count(b"data: ") == 1
        assert b"[DONE]" not in error
        if path == RESPONSES:
            told = json.loads(error.partition(b"data: ")[2])
            assert json.loads(failed.partition(b"data: ")[2])["sequence_number"] == 3
            assert told["sequence_number"] == 4, "behind the event in whose place they stand"


@pytest.mark.parametrize(
    ("path", "payload", "code"),
    [
        (CHAT, body("abort"), "engine_aborted"),
        (COMPLETIONS, body("abort"), "engine_aborted"),
        (MESSAGES, message_body(), "engine_aborted"),
        (MESSAGES, message_body(0, content=False, stop_reason="end_turn"), "engine_aborted"),
        (
            RESPONSES,
            json.dumps(response("completed", tokens=0, output=False)).encode(),
            "engine_aborted",
        ),
        ("/v1/embeddings", b'{"data": []}', "answer_truncated"),
    ],
    ids=["chat", "completions", "messages", "messages-waiting", "responses-waiting", "vectors"],
)
async def test_a_cut_answer_in_one_piece_never_becomes_a_200(
    path: str, payload: bytes, code: str
) -> None:
    async with engine_says(payload) as (home, _engine):
        answer = await ask(home, path)
        assert (answer.status, answer.code) == (502, code)
        assert answer.headers["x-synapse-model"] == "a"
        assert ("type" in answer.json) is (path == MESSAGES)


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        (CHAT, ROLE + WORD + STOP + DONE),
        (CHAT, ROLE + WORD + STOPPED_BY_ABORT + COUNTS + DONE),
        (COMPLETIONS, text("a") + text("b", "length") + DONE),
        (MESSAGES, MESSAGE + BLOCK + MESSAGE_END),
        (RESPONSES, CREATED + DELTA + COMPLETED),
        (RESPONSES, CREATED + DELTA + response_end("response.incomplete", "incomplete")),
        (CHAT, ROLE + OWN_ERROR + DONE),
        (CHAT, ROLE + OWN_ERROR),
        (CHAT, body("stop", stop_reason="abort")),
        (MESSAGES, message_body(stop_reason="max_tokens")),
        (RESPONSES, RESPONSE),
    ],
)
async def test_a_whole_answer_and_an_error_of_the_engines_own_pass_unchanged(
    path: str, whole: bytes
) -> None:
    async with engine_says(whole) as (home, _engine):
        answer = await ask(home, path, stream=not whole.startswith(b"{"))
        assert (answer.status, answer.body) == (200, whole)


async def test_a_choice_that_was_asked_for_and_never_came_is_missed() -> None:
    async with engine_says(ROLE + WORD + STOP + DONE) as (home, _engine):
        assert (await ask(home, CHAT, stream=True, n=2)).code == "answer_truncated"
        assert (await ask(home, CHAT, stream=True, n=1)).code is None


@pytest.mark.parametrize("answer", [CREATED + DELTA + COMPLETED, RESPONSE], ids=["stream", "whole"])
@pytest.mark.parametrize("meanwhile", [aborts, goes_away])
async def test_a_response_is_not_completed_when_the_engine_aborted_meanwhile(
    answer: bytes, meanwhile: Before
) -> None:
    async with engine_says(answer, before_end=meanwhile) as (home, _engine):
        got = await ask(home, RESPONSES, stream=answer is not RESPONSE)
        assert got.code == "engine_aborted"
        assert b"response.completed" not in got.body
        assert got.status == (502 if answer is RESPONSE else 200)


@pytest.mark.parametrize("meanwhile", [stays_silent, begins_to_tell])
async def test_a_response_of_an_engine_that_did_not_tell_is_judged_by_its_output(
    meanwhile: Before,
) -> None:
    async with engine_says(CREATED + DELTA + COMPLETED, before_end=meanwhile) as (home, engine):
        engine.tells = False
        assert (await ask(home, RESPONSES, stream=True)).body == CREATED + DELTA + COMPLETED


async def test_a_response_that_reached_its_limit_needs_no_counter() -> None:
    limited = CREATED + response_end("response.incomplete", "incomplete")
    async with engine_says(limited, before_end=aborts) as (home, _engine):
        assert (await ask(home, RESPONSES, stream=True)).body == limited


async def test_openais_client_raises_where_the_answer_was_cut() -> None:
    async with engine_says(CREATED + DELTA + COMPLETED, before_end=aborts) as (home, _engine):
        client = openai.AsyncOpenAI(api_key="k", base_url=f"{home.url}/v1", max_retries=0)
        async with client, await client.responses.create(model="a", input="hi", stream=True) as got:
            events = aiter(got)
            assert (await anext(events)).type == "response.created"
            assert (await anext(events)).type == "response.output_text.delta"
            assert (await anext(events)).type == "response.failed"
            with pytest.raises(openai.APIError) as raised:
                await anext(events)
        assert raised.value.code == "engine_aborted"


async def test_an_engine_that_fails_inside_a_stream_must_prove_itself() -> None:
    async with engine_says(ROLE + OWN_ERROR + DONE) as (home, engine):
        before = engine.canaries
        await ask(home, CHAT, stream=True)
        await home.until(lambda: engine.canaries > before, "the engine to be asked for a proof")


async def test_refusals_before_an_answer_have_the_dialects_shape() -> None:
    async with engine_says(message_body(stop_reason="end_turn")) as (home, _engine):
        unknown = await ask(home, MESSAGES, model="nobody")
        assert unknown.status == 404
        assert unknown.json["error"]["type"] == "not_found_error"
        async with home.client.get(home.url + MESSAGES) as got:
            assert (got.status, (await got.json())["type"]) == (405, "error")
        unknown = await ask(home, RESPONSES, model="nobody")
        assert unknown.json["error"]["type"] == "invalid_request_error"
