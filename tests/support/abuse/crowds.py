"""Many at once: streams with slow readers, the largest bodies, a hung engine, recordings."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

from abuse import asking, wire
from abuse.catalogue import BATCH, EARS, HARM, PARALLEL, SEES, WELL, WIDE
from abuse.shapes import Shape
from abuse.site import Site
from abuse.story import Row, at_once, told
from gateway_process import until

STREAMS, SLOW_ONES = 300, 10
"""So many streams, of which one in so many is read slowly."""
SLOW_PIECE, SLOW_S = 8192, 0.1
STREAM_LIMIT_S = 60.0
CROWD_WORK_S = 0.5
LARGEST_WORK_S = 0.15
"""Of twelve large bodies at once: one of them stays below 0.1 s, several come in the same turn."""
HUNG_S = 4.0
NEIGHBOURS = 40
RECORDINGS = 16
MIB = 1024**2
ROOM = 4096
"""What a body has beside its largest part, and more."""
PICTURE = "messages.0.content.0.image_url"
"""Where a picture stands."""


def streams(site: Site, number: int = STREAMS) -> Row:
    """Ask for many streams at once; each ends whole or in an error."""
    with told(site, f"{number} streams at once, a tenth read slowly", CROWD_WORK_S) as story:
        story.add(*asyncio.run(_streams(site, number)))
    return story.ended


def hung(site: Site, engine: str, stream: bool = False, limit_s: float = HUNG_S) -> Row:
    """Fill an application's places at one engine; its other models must not notice."""
    form = "streams" if stream else "requests"
    with told(site, f"{2 * PARALLEL} {form} to one that {engine.replace('_', ' ')}") as story:
        begun = site.seen(engine)["begun"]
        with ThreadPoolExecutor(2 * PARALLEL) as pool:
            sent = asking.text(HARM, engine, stream=stream)
            waiting = [
                pool.submit(wire.exchange, site.gateway.port, sent) for _ in range(2 * PARALLEL)
            ]
            with contextlib.suppress(AssertionError):
                until(lambda: site.seen(engine)["begun"] > begun, limit_s, str)
            until_s = time.monotonic() + limit_s
            healthy, refused = 0, 0
            while healthy < NEIGHBOURS or time.monotonic() < until_s:
                answer = wire.exchange(site.gateway.port, asking.text(HARM, WELL))
                healthy, refused = healthy + 1, refused + (answer.status != 200)
                time.sleep(limit_s / NEIGHBOURS)
            story.expect(
                not refused, f"{refused} of {healthy} requests to a healthy model were refused"
            )
            story.add(*[each.result() for each in waiting])
    return story.ended


def largest(site: Site, shape: Shape, name: str, number: int = PARALLEL) -> Row:
    """Use all places of an application with the largest body: answered, or 503 with Retry-After."""
    sent = shape.request()
    case = f"{number} x {sent.size / MIB:.0f} MiB at once: {name}"
    with told(site, case, LARGEST_WORK_S) as story:
        answers = at_once(site, [sent] * number)
        story.add(*answers)
        for answer in answers:
            told_when = "retry-after" in answer.headers or answer.status not in (429, 503)
            story.expect(told_when, f"{answer.status} without Retry-After")
            story.expect(answer.status != 500, "500: the gateway failed")
    return story.ended


def largest_shapes(site: Site) -> list[tuple[str, Shape]]:
    """Return the largest bodies that the limits allow: all text, and pictures."""
    text_mib, body_mib = site.settings.json_text_mib, site.settings.json_body_mib
    return [
        (f"{text_mib} MiB of text", _nearly(text_mib, "messages.0.content", "text")),
        (f"{body_mib} MiB of pictures", _nearly(body_mib, PICTURE, "picture url")),
    ]


def _nearly(mib: int, where: str, what: str) -> Shape:
    return Shape(asking.CHAT, where, what, mib * MIB - ROOM, model=SEES)


def pictures(site: Site, mib: int = 10, number: int = PARALLEL) -> Row:
    """Show pictures of this size, as many as an application may at once."""
    shape = Shape(
        asking.CHAT, "messages.0.content.0.image_url", "picture url", mib * MIB, model=SEES
    )
    return largest(site, shape, "pictures", number)


def unread(site: Site, mib: int = 10) -> Row:
    """Show large pictures to an engine that reads nothing: they do not stay for ever."""
    shape = Shape(asking.CHAT, PICTURE, "picture url", mib * MIB, model="reads_nothing")
    return largest(site, shape, "to an engine that reads nothing")


def recordings(site: Site, number: int = RECORDINGS) -> Row:
    """Let an interactive command come behind batch recordings: its turn is the next one."""
    with told(site, f"a command behind {number} batch recordings") as story:
        before = site.seen(EARS)
        with ThreadPoolExecutor(number + 1) as pool:
            batch = [
                pool.submit(wire.exchange, site.gateway.port, asking.recording(BATCH, f"batch{n}"))
                for n in range(number)
            ]
            turns = site.settings.transcription_concurrency
            until(lambda: site.seen(EARS)["begun"] >= before["begun"] + turns, 30, str)
            heard = len(site.seen(EARS)["files"])
            answer = wire.exchange(site.gateway.port, asking.recording(HARM, "command"))
            story.add(answer, *[each.result() for each in batch])
        files = site.seen(EARS)["files"]
        story.expect("command.wav" in files[heard:], f"the command was not heard: {answer.reason}")
        if "command.wav" in files[heard:]:
            ahead = files[heard:].index("command.wav")
            story.expect(ahead <= turns, f"{ahead} batch recordings were heard before the command")
    return story.ended


def trickled(site: Site, number: int = RECORDINGS) -> Row:
    """Let uploads trickle in at every place; another application's is heard meanwhile."""
    with told(site, f"a command beside {number} uploads that trickle") as story:
        slow = asking.recording(BATCH, "slow", seconds=60)
        with contextlib.ExitStack() as stack:
            open_ones = [
                stack.enter_context(wire.connected(site.gateway.port)) for _ in range(number)
            ]
            for connection in open_ones:
                connection.sendall(slow.head + slow.body[: len(slow.body) // 2])
            answer = wire.exchange(site.gateway.port, asking.recording(HARM, "command"))
            still = sum(not wire.readable(connection) for connection in open_ones)
            story.add(answer)
            story.expect(answer.status == 200, f"the command: {answer.reason}")
            story.expect(still > 0, "the command waited until the uploads were given up")
    return story.ended


async def _streams(site: Site, number: int) -> list[wire.Answer]:
    sent = asking.text(BATCH, WIDE, stream=True)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_stream(site.gateway.port, sent, slow=each % SLOW_ONES == 0))
            for each in range(number)
        ]
    return [task.result() for task in tasks]


async def _stream(port: int, sent: wire.Sent, slow: bool) -> wire.Answer:
    body, began_s, fault = b"", time.monotonic(), ""
    try:
        async with asyncio.timeout(STREAM_LIMIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=SLOW_PIECE)
            writer.write(
                sent.head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n") + sent.body
            )
            while piece := await reader.read(SLOW_PIECE if slow else MIB):
                body += piece
                if slow:
                    await asyncio.sleep(SLOW_S)
            writer.close()
    except (OSError, TimeoutError) as error:
        fault = type(error).__name__
    head, _, rest = body.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    kind = "text/event-stream" if b"event-stream" in head else "application/json"
    whole = rest.removesuffix(b"\r\n0\r\n\r\n").rstrip()
    return wire.Answer(status, {"content-type": kind}, whole, time.monotonic() - began_s, fault)
