"""How an engine answers one request: wait for a place, compute, end or be ended."""

import asyncio
from collections.abc import AsyncGenerator

from vllm_simulator import answers
from vllm_simulator.engine import Engine
from vllm_simulator.errors import EngineDeadError, EnginePausedError
from vllm_simulator.generation import Generation
from vllm_simulator.scheduler import AbortedError, Ticket


async def generate(engine: Engine, wanted: Generation) -> AsyncGenerator[str, None]:
    """Yield the answer token by token; `wanted.finish_reason` says how it ended."""
    engine.check_alive()
    engine.counters["requests"] += 1
    if engine.rejects_new:
        raise EnginePausedError
    ticket = Ticket(wanted.request_id)
    engine.history.arrived(wanted)
    try:
        async for token in _run(engine, ticket, wanted):
            yield token
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


async def _run(engine: Engine, ticket: Ticket, wanted: Generation) -> AsyncGenerator[str, None]:
    await engine.scheduler.admit(ticket)
    engine.history.admitted(wanted)
    if engine.faults.hits("generation_hangs"):
        await asyncio.wait({ticket.interrupted})
    if engine.faults.hits("generation_fails"):
        raise EngineDeadError
    words = _answer(engine, wanted)
    aborts = engine.faults.strike("abort_answers")
    gap = 1 / engine.settings.tokens_per_s if engine.settings.tokens_per_s else 0.0
    for place, word in enumerate(words):
        await engine.scheduler.step(ticket, gap if place else engine.settings.ttft_s)
        if aborts and place >= aborts["after_tokens"]:
            raise AbortedError
        if not engine.memory.resident:
            engine.die({"health": 503})
            raise EngineDeadError
        wanted.completion_tokens += 1
        yield word
    wanted.finish_reason = "length" if len(words) == wanted.max_tokens else "stop"


def _answer(engine: Engine, wanted: Generation) -> list[str]:
    natural = engine.settings.answer_tokens
    limit = wanted.max_tokens if wanted.ignore_eos else min(wanted.max_tokens, natural)
    if _is_garbage(engine):
        return [answers.GARBAGE] * limit
    prompt = wanted.prompt
    if not wanted.greedy:
        engine.counters["sampled"] += 1
        prompt = f"{prompt}\0{engine.counters['sampled']}"
    return answers.tokens(engine.settings.model, engine.settings.seed, prompt, limit)


def _is_garbage(engine: Engine) -> bool:
    after = engine.faults.active().get("garbage_after")
    spoilt = after is not None and engine.cycles >= after["cycles"]
    return not engine.weights_valid or spoilt or engine.faults.hits("garbage")
