"""The memory of one simulated card: what engines claim and what readers see."""

from typing import Protocol


class OutOfMemoryError(Exception):
    """An allocation did not fit; nothing was changed."""


class Claim(Protocol):
    """The memory that one owner holds on a card."""

    def resize(self, n_bytes: int) -> None:
        """Hold `n_bytes` from now on, or raise OutOfMemoryError and keep the old amount."""

    def close(self) -> None:
        """Give everything back, as the driver does when a process ends."""


class Card(Protocol):
    """A card as its engines and its readers see it."""

    @property
    def total_bytes(self) -> int:
        """The size of the card."""

    def holders(self) -> dict[str, int]:
        """Name every living owner with the bytes it holds."""

    def open(self, owner: str) -> Claim:
        """Register `owner` with zero bytes."""


def used_bytes(card: Card) -> int:
    """Sum what all living owners hold."""
    return sum(card.holders().values())


def free_bytes(card: Card) -> int:
    """Tell how much could still be allocated."""
    return card.total_bytes - used_bytes(card)


def check_fit(total: int, others: int, wanted: int, owner: str) -> None:
    """Raise OutOfMemoryError when `wanted` more bytes do not fit beside what others hold."""
    if others + wanted > total:
        raise OutOfMemoryError(
            f"{owner} wants {wanted} bytes, others hold {others} of the card's {total}"
        )
