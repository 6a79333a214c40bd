"""Wait for what the first answer needs, and say what comes later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from synapse_deploy.downloads.fetcher import Status
from synapse_ollama.board import PULLING, Standing
from synapse_ollama.plan import GIB

POLL_S = 1.0
SAY_EVERY_S = 10.0
SHOWS = "make test-health shows how far"

Say = Callable[[str], None]


def wait_for_first(
    status: Status,
    ask: Callable[[], Status],
    limit_s: float,
    say: Say,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Status:
    """Return once all that is waited for is there or has failed, at the latest after limit_s."""
    began = clock()
    told = -SAY_EVERY_S
    while status.first or status.why or not status.looks:
        if clock() - began > limit_s:
            say(f"not waited for any longer than {limit_s:.0f} s (ollama_starter_wait_s)")
            break
        if clock() - told >= SAY_EVERY_S:
            told = clock()
            say(status.why or f"waiting for {', '.join(map(progress, status.first)) or 'a look'}")
        sleep(POLL_S)
        status = ask()
    return status


def progress(model: Standing) -> str:
    """Say how far one model is."""
    if model.state != PULLING:
        return f"{model.name} ({model.state})"
    return f"{model.name} ({model.share})"


def later(status: Status) -> Iterable[str]:
    """Say what comes in the background, and what failed so far."""
    if coming := status.later:
        gib = sum(one.total_bytes - one.done_bytes for one in coming) / GIB
        names = ", ".join(one.name for one in coming)
        yield f"in the background, {gib:.1f} GiB in this order: {names}; {SHOWS}"
    for one in status.failed:
        yield f"{one.name}: {one.reason}"


def missing(status: Status) -> list[str]:
    """Return a sentence for each model that failed, and for a starter that is still to come."""
    if status.why:
        return [f"the models of the CPU: {status.why}; nothing is fetched until Ollama answers"]
    told = [f"model {one.name}: {one.reason}" for one in status.failed]
    starters = [one for one in status.later if one.is_starter]
    for one in starters:
        told.append(
            f"model {one.name}, with which the first answer comes, is not there yet: "
            f"{progress(one)}; it goes on in the background, {SHOWS}"
        )
    return told
