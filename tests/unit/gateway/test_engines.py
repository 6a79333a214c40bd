"""A request is sent again only where the engine cannot have read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from relayed import config, health, model
from synapse_gateway.config import Model
from synapse_gateway.relay.engines import Engines
from synapse_gateway.settings import Settings

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def _engine(answers: list[int]) -> AsyncIterator[tuple[Model, list[bytes]]]:
    """Serve so many requests on each connection before it is closed, and tell what came."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(answers.pop(0)):
            head = await reader.readuntil(b"\r\n\r\n")
            came.append(head + await reader.readexactly(2))
            writer.write(ANSWER)
        await reader.read(1)  # as an engine does that closes while a request is on its way
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    place = Model(url=url, served_name="m", name="m", kind="chat", engine="vllm")
    async with server:
        yield place, came


def _engines() -> Engines:
    return Engines(Settings(), health(config(model("m", "vllm"))))


async def _ask(engines: Engines, model: Model) -> bytes:
    asked = await engines.ask_quickly(
        model, "/chat/completions", {}, [b"{}"], silence_s=5, first_byte_s=5
    )
    async with asked as answer:
        return await answer.read()


def test_a_kept_connection_that_the_engine_closed_costs_no_answer() -> None:
    async def scene() -> None:
        async with _engine([1, 1]) as (place, came):
            engines = _engines()
            assert await _ask(engines, place) == b"ok"
            assert await _ask(engines, place) == b"ok"
            assert len(came) == 2
            await engines.close()

    asyncio.run(scene())


def test_what_breaks_a_new_connection_is_not_sent_again() -> None:
    async def scene() -> None:
        async with _engine([0, 1]) as (place, came):
            engines = _engines()
            with pytest.raises(aiohttp.ClientError):
                await _ask(engines, place)
            assert came == []
            await engines.close()

    asyncio.run(scene())


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def scene() -> None:
        async with _engine([2]) as (place, came):
            engines = _engines()
            assert await _ask(engines, place) == b"ok"
            assert await _ask(engines, place) == b"ok"
            assert len(came) == 2
            await engines.close()

    asyncio.run(scene())
