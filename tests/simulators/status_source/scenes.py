"""Moments in an arbiter's life, as the status page is to show them."""

import time
from collections.abc import Callable
from dataclasses import replace

from synapse_arbiter.events.status_model import (
    Activity,
    DecisionNote,
    GpuStatus,
    ModelStatus,
    Phase,
    Span,
    Status,
    explain,
)
from synapse_arbiter.policy.types import Action, Reason

GIB = 1024**3
NAMES = ("qwen3-coder-30b", "gemma-4-26b", "gpt-oss-20b")
SIZES_GIB = (24.5, 21.0, 16.2)


def busy() -> Status:
    """Two models take turns; requests wait for the one that is not in."""
    now_s = time.time()
    gpu = GpuStatus(
        total_bytes=32 * GIB,
        used_bytes=int(27.4 * GIB),
        resident=NAMES[0],
        resident_since_s=now_s - 5,
        gate_open=True,
        turn_ends_s=now_s + 5,
        activity=None,
        pinned=None,
        released_until_s=None,
        default=NAMES[1],
    )
    models = [
        replace(_model(0), state="awake", running=3, waiting=0, predicted_wait_s=0.0),
        replace(
            _model(1), waiting=7, waiting_batch=2, oldest_since_s=now_s - 6, predicted_wait_s=9.4
        ),
        replace(_model(2), predicted_wait_s=12.1),
    ]
    return Status(now_s, Phase.READY, gpu, models, _hour(now_s), _decisions(now_s), 38, True)


def switching() -> Status:
    """One model leaves, another comes in."""
    status = busy()
    activity = Activity("switch", NAMES[1], status.time_s - 0.9, 1.9)
    gpu = replace(status.gpu, resident=None, activity=activity, turn_ends_s=None)
    models = [replace(model, state="moving", running=0) for model in status.models[:2]]
    return replace(status, gpu=gpu, models=[*models, status.models[2]])


def draining() -> Status:
    """The gate is closed; what runs ends first."""
    status = busy()
    return replace(status, gpu=replace(status.gpu, gate_open=False, turn_ends_s=None))


def released() -> Status:
    """The GPU is released, say for a game."""
    status = busy()
    gpu = replace(
        status.gpu,
        resident=None,
        turn_ends_s=None,
        used_bytes=int(17.9 * GIB),
        released_until_s=status.time_s + 2700,
    )
    models = [replace(_model(place), predicted_wait_s=None) for place in range(3)]
    return replace(status, gpu=gpu, models=models)


def trouble() -> Status:
    """One engine is quarantined, one is away, the GPU's reading too."""
    status = busy()
    gpu = replace(status.gpu, used_bytes=None, pinned=NAMES[0])
    broken = replace(
        _model(1),
        state="quarantined",
        reason="Two canary answers in a row differed from the one at boot; it is being replaced.",
        predicted_wait_s=None,
    )
    away = replace(
        _model(2), state="away", reason="Nobody answers at its address.", predicted_wait_s=None
    )
    return replace(status, gpu=gpu, models=[status.models[0], broken, away])


def idle() -> Status:
    """Just started: nobody has asked for anything."""
    now_s = time.time()
    gpu = GpuStatus(32 * GIB, int(3.9 * GIB), None, None, True, None, None, None, None, None)
    models = [replace(_model(place), answered=0, refused=0) for place in range(3)]
    return Status(now_s, Phase.READY, gpu, models)


def hostile() -> Status:
    """A name and a reason that would do harm if they were ever read as markup."""
    status = busy()
    bad = replace(status.models[2], reason="<img src=x onerror=alert(1)><script>alert(2)</script>")
    return replace(status, models=[*status.models[:2], bad])


SCENES: dict[str, Callable[[], Status]] = {
    scene.__name__: scene for scene in (busy, switching, draining, released, trouble, idle, hostile)
}


def _model(place: int) -> ModelStatus:
    return ModelStatus(
        name=NAMES[place],
        state="asleep",
        reason="",
        since_s=time.time() - 60,
        running=0,
        capacity=(16, 16, 8)[place],
        waiting=0,
        waiting_batch=0,
        oldest_since_s=None,
        predicted_wait_s=1.9,
        vram_bytes=int(SIZES_GIB[place] * GIB),
        residual_bytes=int((1.3, 1.2, 1.1)[place] * GIB),
        switch_s=(2.1, 1.9, 1.4)[place],
        answered=(1204, 388, 57)[place],
        refused=(0, 3, 0)[place],
        cycles=(48, 47, 12)[place],
    )


def _hour(now_s: float) -> list[Span]:
    """An hour of turns: quiet at first, busy lately, one engine replaced in between."""
    turns = [(1, 1180.0), (0, 420.0), (2, 160.0), (0, 380.0), (1, 95.0)]
    turns += [(place % 2, 8 + 5 * (place % 7)) for place in range(32)]
    turns += [(2, 190.0), (1, 48.0), (0, 31.0), (1, 16.0)]
    at_s = now_s - 7 - sum(length_s + 2 for _, length_s in turns)
    spans = []
    for place, length_s in turns:
        spans.append(Span("switch", NAMES[place], at_s, at_s + 2))
        spans.append(Span("resident", NAMES[place], at_s + 2, at_s + 2 + length_s))
        at_s += 2 + length_s
    note = "its memory grew by 2.4 GiB over 31 sleeps"
    spans.append(Span("recycle", NAMES[2], now_s - 940, now_s - 860, note))
    spans.append(Span("switch", NAMES[0], at_s, at_s + 2))
    spans.append(Span("resident", NAMES[0], at_s + 2, None))
    return sorted(spans, key=lambda span: span.from_s)


def _decisions(now_s: float) -> list[DecisionNote]:
    told = [
        (1, Action.SWITCH, Reason.OVERDUE, 0),
        (8, Action.CLOSE, Reason.QUANTUM, 1),
        (16, Action.SWITCH, Reason.BACKLOG, 1),
        (18, Action.CLOSE, Reason.DEADLINE, 0),
        (29, Action.SERVE, Reason.TURN, 0),
        (31, Action.SWITCH, Reason.OVERDUE, 0),
        (44, Action.SERVE, Reason.IDLE_GRACE, 1),
        (47, Action.SWITCH, Reason.BACKLOG, 1),
        (62, Action.CLOSE, Reason.PRIORITY, 2),
        (190, Action.SLEEP, Reason.IDLE, 2),
    ]
    return [
        DecisionNote(
            now_s - ago_s,
            action.value,
            reason.value,
            NAMES[place],
            explain(action, reason, NAMES[place]),
        )
        for ago_s, action, reason, place in told
    ]
