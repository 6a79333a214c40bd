"""A foreign process that takes memory of the GPU."""

from vllm_simulator.gpu.protocol import Claim, Gpu, free_bytes


class Hog:
    """What a process that is no engine holds."""

    def __init__(self, gpu: Gpu, name: str) -> None:
        """Prepare; nothing is held yet."""
        self._gpu, self._name = gpu, name
        self._claim: Claim | None = None

    def hold(self, n_bytes: int) -> None:
        """Hold so much from now on, as far as there is room; 0 ends the process."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None
        if n_bytes:
            self._claim = self._gpu.open(self._name)
            self._claim.resize(min(n_bytes, free_bytes(self._gpu)))
