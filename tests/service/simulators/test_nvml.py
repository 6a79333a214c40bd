"""The simulated NVML, read as the arbiter reads the real one."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from synapse_arbiter.engine.vram import NvmlVram
from synapse_testbed.gpu import compile_nvml
from vllm_simulator import GIB
from vllm_simulator.gpu import DirectoryGpu

from .conftest import LIMIT_S

OWNER = """
import sys, time
from pathlib import Path
from vllm_simulator.gpu import DirectoryGpu
claim = DirectoryGpu(Path(sys.argv[1])).open("other")
claim.resize(int(sys.argv[2]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(compile_nvml(tmp_path_factory.mktemp("nvml")))


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryGpu:
    monkeypatch.setenv("VLLM_SIMULATOR_GPU", str(tmp_path / "gpu"))
    return DirectoryGpu(tmp_path / "gpu", 32 * GIB)


@pytest.fixture
async def owner(gpu: DirectoryGpu, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that holds 20 GiB of the GPU."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(tmp_path / "gpu"), str(20 * GIB)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), LIMIT_S) == b"held\n"
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_it_adds_up_what_the_living_hold(gpu: DirectoryGpu, library: str) -> None:
    gauge = NvmlVram(LIMIT_S, library)
    assert await gauge.used_gib() == 0
    first, second = gpu.open("first"), gpu.open("second")
    first.resize(24 * GIB)
    second.resize(GIB // 2)
    assert await gauge.used_gib() == 24.5
    first.close()
    assert await gauge.used_gib() == 0.5


async def test_a_killed_owners_memory_is_free_at_once(
    owner: asyncio.subprocess.Process, library: str
) -> None:
    gauge = NvmlVram(LIMIT_S, library)
    assert await gauge.used_gib() == 20
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    assert await gauge.used_gib() == 0


def test_without_a_gpu_the_driver_is_not_loaded(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_SIMULATOR_GPU", str(tmp_path))
    with pytest.raises(OSError, match="NVML answered with error 9"):
        NvmlVram(LIMIT_S, library)
