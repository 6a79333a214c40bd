"""Who holds the GPU: a gated quantum with adaptive linger. Pure: no I/O, clock or logging.

How the scheduler uses it (`policy_types.GpuView` is its own live state):

- arrival: `model.note_arrival(now)`; if `gpu.passes(model, now)` the request runs at once
  (`gpu.admitted(priority)`) and no decision is needed; else `model.queue.push(...)`, decide.
- end of a request: `gpu.finished(priority, now)`; decide, unless nobody waits anywhere and
  something still runs.
- a transition ended, a client left, an operator spoke, `until_s` came: decide.

After each of these call `decide` and carry out its answer:

- SERVE: `gpu.open_gate(until_s)`, then `queue.pop()` and admit while capacity is free.
- CLOSE: `gpu.close_gate(now)`; what runs in the engine drains, the queue waits.
- SWITCH, SLEEP, BOOT: only answered when nothing runs; `gpu.start_moving(...)`, do it, then
  `gpu.end_moving(resident or None, now)` and decide again. Asking again between the sleep and
  the wake of a switch (`end_moving(None, now)`) is allowed and keeps the bounds.
- STAY: nothing. Every answer holds until `until_s` or the next event.

A decision costs one pass over the models, and nothing depends on how many requests wait.
"""

from synapse_arbiter.policy.turns import choose, contention_of, grace_end, turn_end
from synapse_arbiter.policy.types import (
    Action,
    Decision,
    GpuView,
    ModelView,
    Reason,
)


def decide(gpu: GpuView, now_s: float) -> Decision:
    """Say what happens to the GPU now. The cases, in this order:

    1. A transition is under way: stay.
    2. The GPU is released: drain, sleep, stay empty.
    3. A model is pinned and available: it comes in and serves, whoever else waits.
    4. Nobody is resident: the next model comes in (`choose`).
    5. The resident is unavailable: drain, then the next model comes in, or it sleeps.
    6. Nobody else waits: the resident serves everything; an idle one makes room for the
       default resident, or sleeps after its time to live.
    7. The gate is closed: drain, then the next model comes in.
    8. The resident has work: it serves until its turn ends (`turn_end`), then the gate closes.
    9. The resident is idle: it lingers if that is likely to pay, else the next comes in.
    """
    if gpu.moving:  # (1)
        return Decision(Action.STAY, Reason.MOVING)
    if gpu.released:  # (2)
        return vacate(gpu, Decision(Action.SLEEP, Reason.RELEASED))
    if gpu.pinned is not None and (pinned := gpu.models[gpu.pinned]).available:  # (3)
        if gpu.resident is pinned:
            return Decision(Action.SERVE, Reason.PINNED)
        return vacate(gpu, Decision(Action.SWITCH, Reason.PINNED, gpu.pinned))
    contention = contention_of(gpu)
    resident = gpu.resident
    if resident is None:  # (4)
        return choose(gpu, contention, now_s)
    if not resident.available:  # (5)
        following = choose(gpu, contention, now_s)
        if following.action is Action.STAY:
            following = Decision(Action.SLEEP, Reason.UNAVAILABLE)
        return vacate(gpu, following, Reason.UNAVAILABLE)
    if not contention.waiting:  # (6)
        return alone(gpu, resident, now_s)
    if gpu.gate_closed:  # (7)
        return vacate(gpu, choose(gpu, contention, now_s))
    turn = gpu.rules.turn(contention.cost_s)
    end_s, reason = turn_end(gpu, resident, contention, turn)
    if gpu.in_flight or resident.queue:  # (8)
        if now_s < end_s:
            return Decision(Action.SERVE, Reason.TURN, None, end_s)
        return vacate(gpu, choose(gpu, contention, now_s), reason)
    end_s = min(end_s, grace_end(gpu, resident, contention, turn))  # (9)
    if now_s < end_s:
        return Decision(Action.SERVE, Reason.IDLE_GRACE, None, end_s)
    return choose(gpu, contention, now_s)


def vacate(gpu: GpuView, following: Decision, reason: Reason | None = None) -> Decision:
    """Empty the resident's engine, closing its gate, and only then do what follows."""
    if gpu.in_flight:
        if gpu.gate_closed:
            return Decision(Action.STAY, Reason.DRAINING)
        return Decision(Action.CLOSE, reason or following.reason)
    if gpu.resident is None and following.action is Action.SLEEP:
        return Decision(Action.STAY, following.reason)
    return following


def alone(gpu: GpuView, resident: ModelView, now_s: float) -> Decision:
    """Say what a resident does while nobody else waits.

    1. It has work, or it is the default resident: it serves.
    2. Idle for long enough: the default resident, if available, comes home.
    3. Idle for its time to live: it sleeps.
    """
    if gpu.in_flight or resident.queue or resident.name == gpu.default:  # (1)
        return Decision(Action.SERVE, Reason.ALONE)
    default = gpu.models[gpu.default] if gpu.default is not None else None
    if default is not None and default.available:  # (2)
        cost_s = max(resident.switch_cost_s, default.switch_cost_s)
        after_s = gpu.rules.default_after_s
        until_s = gpu.idle_from_s + (
            gpu.rules.turn(cost_s).quantum_s if after_s is None else after_s
        )
        following = Decision(Action.SWITCH, Reason.DEFAULT, default.name)
    elif gpu.rules.idle_ttl_s is not None:  # (3)
        until_s = gpu.idle_from_s + gpu.rules.idle_ttl_s
        following = Decision(Action.SLEEP, Reason.IDLE)
    else:
        return Decision(Action.SERVE, Reason.ALONE)
    if now_s < until_s:
        return Decision(Action.SERVE, Reason.ALONE, None, until_s)
    return following
