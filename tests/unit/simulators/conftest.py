"""Engines on one GPU in virtual time: nothing here opens a socket or waits."""

from typing import Any, Protocol

import pytest

from vllm_simulator import GIB, Engine, MemoryGpu, Settings
from vllm_simulator.answering import generate
from vllm_simulator.generation import Generation


class MakeEngine(Protocol):
    def __call__(self, model: str = "a", **values: Any) -> Engine: ...


@pytest.fixture
def gpu() -> MemoryGpu:
    return MemoryGpu(32 * GIB)


@pytest.fixture
def make_engine(gpu: MemoryGpu) -> MakeEngine:
    def make(model: str = "a", **values: Any) -> Engine:
        return Engine(Settings(model=model, **{"boot_s": 0, **values}), gpu)

    return make


def question(
    request_id: str = "r", max_tokens: int = 8, *, greedy: bool = True, prompt: str = "why"
) -> Generation:
    return Generation(
        request_id, prompt, prompt_tokens=1, max_tokens=max_tokens, greedy=greedy, ignore_eos=True
    )


async def ask(engine: Engine, wanted: Generation | None = None) -> str:
    return "".join([piece.text async for piece in generate(engine, wanted or question())])
