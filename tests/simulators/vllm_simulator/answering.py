"""How an engine answers one request: wait for a place, compute, end or be ended."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from vllm_simulator import answers
from vllm_simulator.engine import Engine
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Channel, Generation, Piece
from vllm_simulator.scheduler import AbortedError, Ticket


async def together(
    engine: Engine, wanted: Sequence[Generation]
) -> AsyncGenerator[tuple[Generation, Piece | None], None]:
    """Yield the pieces of several answers as they come; None says that one has ended."""
    queue: asyncio.Queue[tuple[Generation, Piece | Exception | None]] = asyncio.Queue()

    async def run(each: Generation) -> None:
        try:
            async with contextlib.aclosing(generate(engine, each)) as pieces:
                async for piece in pieces:
                    queue.put_nowait((each, piece))
            queue.put_nowait((each, None))
        except (EngineDeadError, EnginePausedError) as error:
            queue.put_nowait((each, error))

    tasks = [asyncio.create_task(run(each)) for each in wanted]
    try:
        open_ones = len(tasks)
        while open_ones:
            which, piece = await queue.get()
            if isinstance(piece, Exception):
                raise piece
            open_ones -= piece is None
            yield which, piece
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def gathered(engine: Engine, wanted: Sequence[Generation]) -> list[list[Piece]]:
    """Return the pieces of several answers, whole."""
    said: list[list[Piece]] = [[] for _ in wanted]
    async with contextlib.aclosing(together(engine, wanted)) as pieces:
        async for which, piece in pieces:
            if piece is not None:
                said[which.choice].append(piece)
    return said


async def generate(engine: Engine, wanted: Generation) -> AsyncGenerator[Piece, None]:
    """Yield the answer token by token; `wanted.finish_reason` is set with the last one."""
    engine.check_alive()
    engine.counters["requests"] += 1
    if engine.rejects_new:
        raise EnginePausedError
    ticket = Ticket(wanted.request_id)
    engine.history.arrived(wanted)
    try:
        async for piece in _run(engine, ticket, wanted):
            yield piece
    except AbortedError:
        wanted.finish_reason = "abort"
    except EngineDeadError:
        wanted.finish_reason = "error"
        raise
    finally:
        engine.scheduler.release(ticket)
        engine.history.ended(wanted)
        engine.counters[wanted.finish_reason or "cancelled"] += 1
        engine.metrics.record_request(wanted)


async def _run(engine: Engine, ticket: Ticket, wanted: Generation) -> AsyncGenerator[Piece, None]:
    await engine.scheduler.admit(ticket)
    engine.history.admitted(wanted)
    if engine.faults.hits("generation_hangs"):
        await asyncio.wait({ticket.interrupted})
    if engine.faults.hits("generation_fails"):
        raise EngineDeadError
    engine.metrics.record_prompt(wanted)
    pieces = _answer(engine, wanted)
    aborts = engine.faults.strike("abort_answers")
    gap = 1 / engine.settings.tokens_per_s if engine.settings.tokens_per_s else 0.0
    for place, piece in enumerate(pieces):
        await engine.scheduler.step(ticket, gap if place else engine.settings.ttft_s)
        if aborts and place >= aborts["after_tokens"]:
            raise AbortedError
        if not engine.memory.resident:
            engine.die({"health": 503})
            raise EngineDeadError
        wanted.completion_tokens += 1
        wanted.reasoning_tokens += piece.channel is Channel.REASONING
        engine.metrics.record_token()
        if place + 1 == len(pieces):
            ended = wanted.stop_reason is not None or len(pieces) < wanted.max_tokens
            wanted.finish_reason = "stop" if ended else "length"
        yield replace(piece, finish_reason=wanted.finish_reason)


def _answer(engine: Engine, wanted: Generation) -> list[Piece]:
    """Plan the whole answer: thinking, then words or a call, up to the limit."""
    last = _last_part(wanted)
    natural = engine.settings.answer_tokens if last is None else len(last)
    limit = min(wanted.thinking_tokens + natural, wanted.max_tokens)
    if wanted.ignore_eos and last is None:
        limit = wanted.max_tokens
    if _is_garbage(engine):
        return [Piece(_channel(wanted, place), answers.GARBAGE) for place in range(limit)]
    prompt = wanted.prompt
    if not wanted.greedy:
        engine.counters["sampled"] += 1
        prompt = f"{prompt}\0{engine.counters['sampled']}"
    words = answers.tokens(engine.settings.model, engine.settings.seed, prompt, limit)
    pieces = [Piece(_channel(wanted, place), word) for place, word in enumerate(words)]
    if last is not None:
        pieces = [*pieces[: wanted.thinking_tokens], *last]
    return _stopped(wanted, pieces[:limit])


def _stopped(wanted: Generation, pieces: list[Piece]) -> list[Piece]:
    """End the answer before the first of the texts that shall stop it."""
    said = ""
    for place, piece in enumerate(pieces):
        before, said = said, said + piece.text
        for stop in wanted.stop:
            if stop in said:
                wanted.stop_reason = stop
                left = said[: said.index(stop)][len(before) :]
                return [*pieces[:place], replace(piece, text=left)]
    return pieces


def _last_part(wanted: Generation) -> list[Piece] | None:
    """Return what follows the thinking if it is not the model's own words."""
    if wanted.call is not None:
        return [Piece(Channel.CALL, text) for text in ["", *wanted.call.pieces]]
    if wanted.dictated is not None:
        return [
            Piece(Channel.TEXT, text) for text in re.findall(r"\s*\S+\s*$|\s*\S+", wanted.dictated)
        ]
    return None


def _channel(wanted: Generation, place: int) -> Channel:
    return Channel.REASONING if place < wanted.thinking_tokens else Channel.TEXT


def _is_garbage(engine: Engine) -> bool:
    after = engine.faults.active().get("garbage_after")
    spoilt = after is not None and engine.cycles >= after["cycles"]
    return not engine.weights_valid or spoilt or engine.faults.hits("garbage")
