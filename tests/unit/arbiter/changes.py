"""How a case puts the card of a test into its state: what it is, change by change."""

from collections.abc import Callable

from synapse_arbiter.policy_types import CardView

Change = Callable[[CardView], object]


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
