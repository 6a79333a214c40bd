"""A log that is not read holds nobody up; what is lost is told."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_gateway import log_pipe
from synapse_gateway.log_pipe import LogPipe

LINE = b'{"event":"request"}' + b" " * 1000 + b"\n"
PIPE_BYTES = 64 * 1024


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads yet."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


async def read(reader: int, count: int) -> list[dict[str, object]]:
    """Read so many lines, letting the loop write on meanwhile."""
    os.set_blocking(reader, False)
    got = b""
    async with asyncio.timeout(20):
        while got.count(b"\n") < count:
            try:
                got += os.read(reader, 65536)
            except BlockingIOError:
                await asyncio.sleep(0)
    return [json.loads(line) for line in got.splitlines()]


async def test_lines_wait_while_nobody_reads_and_come_whole(ends: tuple[int, int]) -> None:
    reader, writer = ends
    pipe = LogPipe(writer, asyncio.get_running_loop())
    count = 3 * PIPE_BYTES // len(LINE)
    for _ in range(count):
        pipe.write(LINE)
    assert await read(reader, count) == [{"event": "request"}] * count
    pipe.close(1)
    assert os.get_blocking(writer)


async def test_what_there_is_no_room_for_is_counted_and_told(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_pipe, "WAITING_BYTES", PIPE_BYTES)
    reader, writer = ends
    pipe = LogPipe(writer, asyncio.get_running_loop())
    sent = 5 * PIPE_BYTES // len(LINE)
    for _ in range(sent):
        pipe.write(LINE)
    got = await read(reader, PIPE_BYTES // len(LINE))
    while got[-1]["event"] == "request":
        got += await read(reader, 1)
    lost = got.pop()
    assert lost == {"event": "lines_lost", "count": sent - len(got)}
    pipe.write(LINE)
    assert await read(reader, 1) == [{"event": "request"}]
    pipe.close(1)


async def test_at_the_end_it_waits_for_no_reader(ends: tuple[int, int]) -> None:
    _, writer = ends
    pipe = LogPipe(writer, asyncio.get_running_loop())
    for _ in range(2 * PIPE_BYTES // len(LINE)):
        pipe.write(LINE)
    pipe.close(0.01)


async def test_a_file_gets_its_lines_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        pipe = LogPipe(log.fileno(), asyncio.get_running_loop())
        pipe.write(LINE)
        assert (tmp_path / "log").read_bytes() == LINE
        pipe.close(1)
