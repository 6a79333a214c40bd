"""What happens when several models want the GPU: how long a turn lasts and who is next.

Every function reads a `GpuView` whose resident is available and whose GPU is not moving.
"""

from math import inf
from typing import NamedTuple

from synapse_arbiter.policy.types import (
    Action,
    Decision,
    GpuView,
    ModelView,
    Reason,
    Turn,
)

LEAST_COST_S = 0.1  # a switch that costs nothing would make turns that last nothing
GAPS_TO_KNOW = 3
GAPS_SHORT_ENOUGH = 0.6
GRACE_SLACK_S = 0.05  # a client that asks again at once still needs the network's time


class Contention(NamedTuple):
    """Who else wants the GPU: the sums of one pass over the models."""

    waiting: int  # requests (and at most one boot) that wait for somebody else
    interactive: int
    cost_s: float  # c: the dearest switch among the resident and them
    clock_s: float  # the oldest clock among them
    oldest: str | None  # the model it belongs to, None for the boot


def contention_of(gpu: GpuView) -> Contention:
    """Sum up the models other than the resident for which requests wait, and a waiting boot."""
    waiting = interactive = 0
    clock_s, oldest = inf, None
    cost_s = LEAST_COST_S
    if gpu.resident is not None:
        cost_s = max(cost_s, gpu.resident.switch_cost_s)
    for model in gpu.models.values():
        if model.queue and model.available and model is not gpu.resident:
            waiting += len(model.queue)
            interactive += model.queue.interactive
            cost_s = max(cost_s, model.switch_cost_s)
            if model.clock_s < clock_s:
                clock_s, oldest = model.clock_s, model.name
    if gpu.boot_since_s is not None:
        waiting += 1
        if gpu.boot_since_s < clock_s:
            clock_s, oldest = gpu.boot_since_s, None
    return Contention(waiting, interactive, cost_s, clock_s, oldest)


def turn_end(
    gpu: GpuView, resident: ModelView, contention: Contention, turn: Turn
) -> tuple[float, Reason]:
    """Say when the resident's turn ends, and why.

    The first of these, but never before the guaranteed residency has passed:
    1. its quantum is over;
    2. the oldest clock among the others reaches the deadline;
    3. it has only batch work while interactive requests wait elsewhere.
    """
    quantum_s = gpu.resident_since_s + turn.quantum_s  # (1)
    guaranteed_s = gpu.resident_since_s + turn.residency_s
    deadline_s = max(guaranteed_s, contention.clock_s + turn.deadline_s)  # (2)
    interactive = gpu.interactive_in_flight or resident.queue.interactive
    only_batch = (gpu.in_flight or resident.queue) and not interactive
    if only_batch and contention.interactive and guaranteed_s < min(quantum_s, deadline_s):  # (3)
        return guaranteed_s, Reason.PRIORITY
    if deadline_s < quantum_s:
        return deadline_s, Reason.DEADLINE
    return quantum_s, Reason.QUANTUM


def grace_end(gpu: GpuView, resident: ModelView, contention: Contention, turn: Turn) -> float:
    """Say until when an idle resident stays, hoping that its next request comes soon.

    Ski rental: all who wait lose at most one switch cost together, so each of them loses at
    most switch cost / waiting requests. Once another clock passed the deadline: not at all.
    """
    pays_s = idle_grace_s(resident, contention.cost_s / contention.waiting)
    return min(gpu.idle_from_s + pays_s, contention.clock_s + turn.deadline_s)


def idle_grace_s(model: ModelView, limit_s: float) -> float:
    """Say how long it pays to wait for an idle model's next request, within a limit.

    A gap within the limit is short.
    1. Fewer than three idle gaps are known: for the limit.
    2. Most of the known ones are short: for twice the longest short one, within the limit.
    3. Else not at all.
    """
    gaps = model.idle_gaps_s
    if len(gaps) < GAPS_TO_KNOW:  # (1)
        return limit_s
    short = [gap for gap in gaps if gap <= limit_s]
    if len(short) >= GAPS_SHORT_ENOUGH * len(gaps):  # (2)
        return min(2 * max(short) + GRACE_SLACK_S, limit_s)
    return 0.0  # (3)


def choose(gpu: GpuView, contention: Contention, now_s: float) -> Decision:
    """Say who comes in once nothing runs: among the available models that others wait for,

    1. of those whose clock passed the deadline the one with the oldest clock; a waiting boot
       has a clock like a model;
    2. else the one with the largest aged backlog per switch cost;
    3. else, nobody waiting, the boot;
    4. else, nobody being resident, the default resident; else nobody.
    """
    deadline_s = contention.clock_s + gpu.rules.turn(contention.cost_s).deadline_s
    if deadline_s <= now_s:  # (1)
        action = Action.BOOT if contention.oldest is None else Action.SWITCH
        return Decision(action, Reason.OVERDUE, contention.oldest)
    best, best_score = None, -1.0
    for model in gpu.models.values():  # (2)
        if model.queue and model.available and model is not gpu.resident:
            score = model.queue.backlog(now_s) / max(model.switch_cost_s, LEAST_COST_S)
            if score > best_score:
                best, best_score = model.name, score
    if best is not None:
        return Decision(Action.SWITCH, Reason.BACKLOG, best)
    if gpu.boot_since_s is not None:  # (3)
        return Decision(Action.BOOT, Reason.IDLE)
    if gpu.resident is None and gpu.default is not None and gpu.models[gpu.default].available:
        return Decision(Action.SWITCH, Reason.DEFAULT, gpu.default)  # (4)
    return Decision(Action.STAY, Reason.EMPTY)
