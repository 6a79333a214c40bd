"""The memory of one simulated gpu: a table in this process, or a folder shared by several."""

from vllm_simulator.gpu.directory import DirectoryGpu
from vllm_simulator.gpu.hog import Hog
from vllm_simulator.gpu.memory import MemoryGpu
from vllm_simulator.gpu.protocol import Claim, Gpu, OutOfMemoryError, free_bytes, used_bytes
from vllm_simulator.gpu.reading import reading

__all__ = [
    "Claim",
    "DirectoryGpu",
    "Gpu",
    "Hog",
    "MemoryGpu",
    "OutOfMemoryError",
    "free_bytes",
    "reading",
    "used_bytes",
]
