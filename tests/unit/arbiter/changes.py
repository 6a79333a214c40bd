"""How a case puts the card of a test into its state: what it is, change by change."""

from collections.abc import Callable

from synapse_arbiter.policy.queue import Priority
from synapse_arbiter.policy.types import CardView

Change = Callable[[CardView], object]

SINCE_S = 100.0
"""When the resident of the cases came in."""


def sets(**fields: object) -> Change:
    """Give the card these values."""

    def change(card: CardView) -> None:
        for name, value in fields.items():
            setattr(card, name, value)

    return change


def model(name: str, **fields: object) -> Change:
    """Give one of its models these values."""

    def change(card: CardView) -> None:
        for key, value in fields.items():
            setattr(card.models[name], key, value)

    return change


def waits(
    name: str, since_s: float, count: int = 1, priority: Priority = Priority.INTERACTIVE
) -> Change:
    """Let requests wait for one of its models."""

    def change(card: CardView) -> None:
        for number in range(count):
            card.models[name].line.push((name, priority, since_s, number), priority, since_s)

    return change


def runs(count: int = 1, priority: Priority = Priority.INTERACTIVE) -> Change:
    """Let requests run in the resident's engine."""
    return sets(in_flight=count, interactive_in_flight=count * (priority is Priority.INTERACTIVE))


def nobody(card: CardView) -> None:
    """Let nobody be resident."""
    card.end_moving(None, SINCE_S)
