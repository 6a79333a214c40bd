"""Carry out one operation: the transition that belongs to it, and never an exception."""

from __future__ import annotations

import logging

from synapse_arbiter.outcome import Outcome
from synapse_arbiter.state import Operation, State, Work
from synapse_arbiter.transitions import Transitions

log = logging.getLogger("synapse_arbiter")


async def perform(operation: Operation, moves: Transitions, state: State) -> Outcome:
    """Do what the operation says; after an error of our own, nobody it touched is trusted."""
    try:
        return await _perform(operation, moves, state)
    except Exception:
        log.exception("a transition failed for a reason that is our own fault")
        names = dict.fromkeys((operation.model, operation.resident))
        return Outcome(broken={name: "internal_error" for name in names if name is not None})


async def _perform(operation: Operation, moves: Transitions, state: State) -> Outcome:
    work, model = operation.work, str(operation.model)
    if work is Work.RECONCILE:
        return await moves.reconcile(state.card.default)
    if work is Work.SLEEP:
        return await moves.switch(operation.resident, None)
    if work is Work.SWITCH:
        return await moves.switch(operation.resident, model)
    if operation.lease is not None:
        return await moves.boot(model, operation.lease)
    chores = {
        Work.ADOPT: moves.adopt,
        Work.CALM: moves.calm,
        Work.ROUSE: moves.rouse,
        Work.CHECK: moves.check,
        Work.RECYCLE: moves.recycle,
    }
    return await chores[work](model)
