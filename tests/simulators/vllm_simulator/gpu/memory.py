"""A GPU within one process, for tests in virtual time."""

from vllm_simulator.gpu.protocol import check_fit


class MemoryGpu:
    """A GPU whose table is a dictionary."""

    def __init__(self, total_bytes: int) -> None:
        """Make an empty GPU."""
        self._total_bytes = total_bytes
        self._held: dict[str, int] = {}

    @property
    def total_bytes(self) -> int:
        """The size of the GPU."""
        return self._total_bytes

    def holders(self) -> dict[str, int]:
        """Name every owner with the bytes it holds."""
        return dict(self._held)

    def open(self, owner: str) -> "MemoryClaim":
        """Register `owner` with zero bytes."""
        if owner in self._held:
            raise ValueError(f"{owner} already holds memory on this GPU; names must differ.")
        self._held[owner] = 0
        return MemoryClaim(self._total_bytes, self._held, owner)


class MemoryClaim:
    """What one owner holds on a MemoryGpu."""

    def __init__(self, total_bytes: int, held: dict[str, int], owner: str) -> None:
        """Stand for `owner` in the GPU's table."""
        self._total_bytes, self._held, self._owner = total_bytes, held, owner

    def resize(self, n_bytes: int) -> None:
        """Hold `n_bytes` from now on, or raise OutOfMemoryError and keep the old amount."""
        others = sum(self._held.values()) - self._held[self._owner]
        check_fit(self._total_bytes, others, n_bytes, self._owner)
        self._held[self._owner] = n_bytes

    def close(self) -> None:
        """Give everything back."""
        self._held.pop(self._owner, None)
