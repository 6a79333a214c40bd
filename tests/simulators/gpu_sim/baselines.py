"""The two policies that others use, for comparison."""

import random
from math import inf

from gpu_sim.gpu import Policy
from synapse_arbiter.policy.types import Action, Decision, GpuView, Reason

IDLE_DELAY_S = 2.0


def fifo_collate(gpu: GpuView, _now_s: float) -> Decision:
    """Serve the resident for as long as it has work; then the model with the oldest request."""
    if gpu.moving:
        return Decision(Action.STAY, Reason.MOVING)
    waiting = [m for m in gpu.models.values() if m.queue and m is not gpu.resident]
    resident = gpu.resident
    if resident is not None and (gpu.in_flight or resident.queue or not waiting):
        return Decision(Action.SERVE, Reason.ALONE)
    if not waiting:
        return Decision(Action.STAY, Reason.EMPTY)
    oldest = min(waiting, key=lambda model: model.queue.oldest_s)
    return Decision(Action.SWITCH, Reason.OVERDUE, oldest.name)


def idle_delay(seed: int) -> Policy:
    """Make the policy that switches, to anybody, once the resident was idle for two seconds."""
    chance = random.Random(seed)

    def policy(gpu: GpuView, now_s: float) -> Decision:
        if gpu.moving:
            return Decision(Action.STAY, Reason.MOVING)
        waiting = [m for m in gpu.models.values() if m.queue and m is not gpu.resident]
        resident = gpu.resident
        if not waiting:
            busy = resident is not None
            return Decision(Action.SERVE if busy else Action.STAY, Reason.ALONE)
        until_s = inf
        if resident is not None and not gpu.in_flight and not resident.queue:
            until_s = gpu.idle_from_s + IDLE_DELAY_S
        if resident is not None and now_s < until_s:
            return Decision(Action.SERVE, Reason.IDLE_GRACE, None, until_s)
        return Decision(Action.SWITCH, Reason.BACKLOG, chance.choice(waiting).name)

    return policy
