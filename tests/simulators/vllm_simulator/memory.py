"""The memory of one engine on the GPU: mapped block by block, as vLLM's allocator does it."""

import asyncio

from vllm_simulator.errors import CudaOutOfMemoryError, EngineDeadError, StartRefusedError
from vllm_simulator.gpu import Gpu, OutOfMemoryError, free_bytes
from vllm_simulator.settings import GIB, Settings

WEIGHTS, KV_CACHE = "weights", "kv_cache"
TAGS = (WEIGHTS, KV_CACHE)
_BLOCKS = 10


class EngineMemory:
    """Context, weights and KV cache; `sleeping` names the tags that vLLM believes asleep."""

    def __init__(self, gpu: Gpu, settings: Settings) -> None:
        """Take a place on the GPU that holds nothing yet."""
        self._gpu = gpu
        self._claim = gpu.open(settings.model)
        self._size = {WEIGHTS: settings.weights_bytes, KV_CACHE: settings.kv_cache_bytes}
        self._mapped = dict.fromkeys(TAGS, 0)
        self._context = 0
        self._settings = settings
        self._released = False
        self.sleeping: set[str] = set()

    @property
    def resident(self) -> bool:
        """Tell whether every block is mapped, so that the model can compute."""
        return self._mapped == self._size

    @property
    def held_bytes(self) -> int:
        """What the engine holds on the GPU."""
        return self._context + sum(self._mapped.values())

    async def boot(self) -> None:
        """Check the free memory, load, and check that nobody freed memory meanwhile."""
        total, free = self._gpu.total_bytes, free_bytes(self._gpu)
        needed = self._settings.vram_bytes
        if free < needed:
            raise StartRefusedError(
                f"ValueError: Free memory on device cuda:0 ({_gib(free)}/{_gib(total)} GiB) on "
                f"startup is less than desired GPU memory utilization ({needed / total:.2f}, "
                f"{_gib(needed)} GiB). Decrease GPU memory utilization or reduce GPU memory used "
                "by other processes."
            )
        others = total - free
        self._context = self._settings.context_bytes
        try:
            self._hold()
            await self._map(TAGS, self._settings.boot_s)
        except (OutOfMemoryError, CudaOutOfMemoryError) as error:
            raise StartRefusedError("torch.OutOfMemoryError: CUDA out of memory.") from error
        if self._settings.kv_cache_memory_bytes:
            return  # the size of the KV cache is given, so nothing is measured
        if self._gpu.total_bytes - free_bytes(self._gpu) - self.held_bytes < others:
            raise StartRefusedError(
                "AssertionError: Error in memory profiling. Other processes released GPU memory "
                "while vLLM was profiling during initialization."
            )

    async def sleep(self, seconds: float, *, frees: bool, leaks_bytes: int) -> None:
        """Unmap everything; assert, as vLLM does, that the GPU's free memory did not shrink."""
        free_before = free_bytes(self._gpu)
        if frees and any(self._mapped.values()):
            await self._unmap(TAGS, seconds)
            self._context += leaks_bytes
            self._hold()
        else:
            await asyncio.sleep(seconds)
        if free_bytes(self._gpu) < free_before:
            raise AssertionError("Memory usage increased after sleeping.")
        self.sleeping |= set(TAGS)

    async def wake(self, tags: tuple[str, ...], seconds: float, stop_at: float = 1.0) -> None:
        """Map the tags again; stop with CudaOutOfMemoryError when a block does not fit."""
        await self._map(tags, seconds, stop_at)
        self.sleeping -= set(tags)

    def discard_kv_cache(self) -> None:
        """Drop the KV cache alone."""
        self._mapped[KV_CACHE] = 0
        self._hold()
        self.sleeping.add(KV_CACHE)

    def release(self) -> None:
        """Give everything back and leave the GPU: the process is gone."""
        self._claim.close()
        self._released = True
        self._mapped, self._context = dict.fromkeys(TAGS, 0), 0

    async def _map(self, tags: tuple[str, ...], seconds: float, stop_at: float = 1.0) -> None:
        whole = sum(self._size.values())
        for tag in tags:
            block = max(1, -(-self._size[tag] // _BLOCKS))
            while self._mapped[tag] < self._size[tag]:
                await asyncio.sleep(seconds / (_BLOCKS * len(tags)))
                before = self._mapped[tag]
                if stop_at < 1 and sum(self._mapped.values()) >= stop_at * whole:
                    raise CudaOutOfMemoryError("CUDA Error: out of memory at cumem_allocator.cpp")
                self._mapped[tag] = min(before + block, self._size[tag])
                try:
                    self._hold()
                except OutOfMemoryError as error:
                    self._mapped[tag] = before
                    raise CudaOutOfMemoryError(
                        "CUDA Error: out of memory at cumem_allocator.cpp"
                    ) from error

    async def _unmap(self, tags: tuple[str, ...], seconds: float) -> None:
        for tag in tags:
            block = max(1, -(-self._size[tag] // _BLOCKS))
            while self._mapped[tag] > 0:
                await asyncio.sleep(seconds / (_BLOCKS * len(tags)))
                self._mapped[tag] = max(0, self._mapped[tag] - block)
                self._hold()

    def _hold(self) -> None:
        if self._released:
            raise EngineDeadError
        self._claim.resize(self.held_bytes)


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / GIB:.2f}"
