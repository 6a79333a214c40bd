"""An OpenAI server that sleeps, wakes and fails exactly as vLLM 0.33 does, on a simulated GPU."""

from vllm_simulator.app import make_app, serve
from vllm_simulator.engine import Engine
from vllm_simulator.gpu import DirectoryGpu, Gpu, MemoryGpu, OutOfMemoryError
from vllm_simulator.hosting import Simulator
from vllm_simulator.settings import GIB, Settings

__all__ = [
    "GIB",
    "DirectoryGpu",
    "Engine",
    "Gpu",
    "MemoryGpu",
    "OutOfMemoryError",
    "Settings",
    "Simulator",
    "make_app",
    "serve",
]
