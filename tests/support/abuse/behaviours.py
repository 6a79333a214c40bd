"""What engines do that hangs, crawls, lie and die: each takes one request."""

from __future__ import annotations

import asyncio

from abuse import engine_answers as answers
from abuse import sound_engines
from abuse.taken import Request

PIECE = 1024**2
ENDLESS_PIECES = 1024
"""Pieces of the largest answer: 1 GiB."""
HELD_S = 600.0
WIDE_EVENTS, WIDE_BYTES, WIDE_S = 40, 4096, 0.03
"""A stream of some length."""
FLOOD_EVENTS, FLOOD_BYTES = 256, 64 * 1024
"""One of 16 MiB."""


async def well(asked: Request) -> None:
    """Answer as an engine does."""
    await asked.send(answers.whole(asked.path, asked.streams))


async def hangs(asked: Request) -> None:
    """Take the request and never answer."""
    await asked.pause(HELD_S)


async def reads_nothing(asked: Request) -> None:
    """Take the connection and read nothing."""
    await asyncio.sleep(HELD_S)


async def crawls(asked: Request) -> None:
    """Send the head at once, and one byte a second of what follows."""
    head, body = answers.head(asked.streams), answers.body(asked.path, asked.streams)
    await asked.send(head)
    for at in range(len(body)):
        await asked.send(body[at : at + 1])
        await asked.pause(1.0)


async def falls_silent(asked: Request) -> None:
    """Say a few words, then nothing more."""
    said, _, _ = answers.body(asked.path, asked.streams).partition(b" stub")
    await asked.send(answers.head(asked.streams), said)
    await asked.pause(HELD_S)


async def promises_too_much(asked: Request) -> None:
    """Promise more bytes than come, and close."""
    body = answers.body(asked.path, asked.streams)
    await asked.send(answers.head(asked.streams, length=len(body) + 100), body)


async def promises_too_little(asked: Request) -> None:
    """Promise fewer bytes than come."""
    body = answers.body(asked.path, asked.streams)
    await asked.send(answers.head(asked.streams, length=len(body) // 2), body)


async def sends_headers_without_end(asked: Request) -> None:
    """Send headers without end."""
    await asked.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(ENDLESS_PIECES * 64):
        await asked.send(b"x-%d: %s\r\n" % (number, b"a" * 4000))


async def sends_1_gib(asked: Request) -> None:
    """Send one event, or one answer, of 1 GiB."""
    opening = b'data: {"x":"' if asked.streams else b'{"x":"'
    await asked.send(answers.head(asked.streams), opening)
    for _ in range(ENDLESS_PIECES):
        await asked.send(b"a" * PIECE)


async def sends_a_million_events(asked: Request) -> None:
    """Send a million tiny events, which say nothing, as fast as they are taken."""
    await asked.send(answers.head(asked.streams))
    for _ in range(100):
        await asked.send(b'data: {"choices":[]}\n\n' * 10_000)


async def sends_no_utf8(asked: Request) -> None:
    """Answer with bytes that are no text."""
    body = answers.body(asked.path, asked.streams).replace(b"Hello", b"He\xff\xfe\xc0llo")
    await asked.send(answers.head(asked.streams), body)


async def fails_with_status_200(asked: Request) -> None:
    """Fail with status 200."""
    told = b'{"error": {"message": "out of memory", "type": "InternalServerError", "code": 500}}'
    line = b"data: " + told + b"\n\n" if asked.streams else told
    await asked.send(answers.head(asked.streams), line)


async def cuts_a_chunk(asked: Request) -> None:
    """End in the middle of a chunk, as a proxy does whose engine died."""
    body = answers.body(asked.path, asked.streams)
    chunk = b"%x\r\n%s" % (len(body), body[: len(body) // 2])
    await asked.send(answers.head(asked.streams, chunked=True), chunk)


async def dies_asked(asked: Request) -> None:
    """Reset the connection once the request is there."""
    asked.reset()


async def dies_after_head(asked: Request) -> None:
    """Reset the connection after the answer's head."""
    await asked.send(answers.head(asked.streams))
    asked.reset()


async def dies_midway(asked: Request) -> None:
    """Reset the connection in the middle of the answer."""
    body = answers.body(asked.path, asked.streams)
    await asked.send(answers.head(asked.streams), body[: len(body) // 2])
    await asyncio.sleep(0.05)  # a reset may overtake what was sent
    asked.reset()


async def wide(asked: Request) -> None:
    """Stream for a while."""
    await _stream(asked, WIDE_EVENTS, WIDE_BYTES, WIDE_S)


async def flood(asked: Request) -> None:
    """Stream more than fits into the buffers of a connection, as fast as it is taken."""
    await _stream(asked, FLOOD_EVENTS, FLOOD_BYTES, 0.0)


async def _stream(asked: Request, events: int, size: int, pause_s: float) -> None:
    if not asked.streams:
        await well(asked)
        return
    before, event, after = answers.long_stream(asked.path, "w" * size)
    await asked.send(answers.head(streams=True), before)
    for _ in range(events):
        await asked.send(event)
        await asked.pause(pause_s)
    await asked.send(after)


BEFORE_THE_BODY = {"reads_nothing": reads_nothing, "dies_accepting": dies_asked}
"""Those that do not read what they are sent."""
SILENT = ("hangs", "reads_nothing", "dies_accepting")
"""Those that do not answer when they are asked for their health either."""
BEHAVIOURS = {
    one.__name__: one
    for one in (
        well, hangs, crawls, falls_silent, promises_too_much, promises_too_little,
        sends_headers_without_end, sends_1_gib, sends_a_million_events, sends_no_utf8,
        fails_with_status_200, cuts_a_chunk, dies_asked, dies_after_head, dies_midway, wide, flood,
    )
} | BEFORE_THE_BODY | sound_engines.BEHAVIOURS  # fmt: skip
GOOD = ("well", "wide", "flood", *sound_engines.BEHAVIOURS)
BAD = tuple(name for name in BEHAVIOURS if name not in GOOD)
"""The engines for text of which no answer is good."""
