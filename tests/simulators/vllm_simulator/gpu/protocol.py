"""The memory of one simulated gpu: what engines claim and what readers see."""

from typing import Protocol


class OutOfMemoryError(Exception):
    """An allocation did not fit; nothing was changed."""


class Claim(Protocol):
    """The memory that one owner holds on a GPU."""

    def resize(self, n_bytes: int) -> None:
        """Hold `n_bytes` from now on, or raise OutOfMemoryError and keep the old amount."""

    def close(self) -> None:
        """Give everything back, as the driver does when a process ends."""


class Gpu(Protocol):
    """A GPU as its engines and its readers see it."""

    @property
    def total_bytes(self) -> int:
        """The size of the GPU."""

    def holders(self) -> dict[str, int]:
        """Name every living owner with the bytes it holds."""

    def open(self, owner: str) -> Claim:
        """Register `owner` with zero bytes."""


def used_bytes(gpu: Gpu) -> int:
    """Sum what all living owners hold."""
    return sum(gpu.holders().values())


def free_bytes(gpu: Gpu) -> int:
    """Tell how much could still be allocated."""
    return gpu.total_bytes - used_bytes(gpu)


def check_fit(total: int, others: int, wanted: int, owner: str) -> None:
    """Raise OutOfMemoryError when `wanted` more bytes do not fit beside what others hold."""
    if others + wanted > total:
        raise OutOfMemoryError(
            f"{owner} wants {wanted} bytes, others hold {others} of the GPU's {total}"
        )
