"""Reading the GPU's memory: NVML's structure, a metrics address, nothing at all."""

import asyncio
import ctypes
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from synapse_arbiter.engine import vram
from synapse_arbiter.engine.vram import GIB, NoVram, NvmlVram, parse_used_gib

LIMIT_S = 20.0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"used_bytes": 2147483648, "total_bytes": 1}', 2.0),
        (b'# HELP x\nDCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-1"} 3072\n', 3.0),
        (b"DCGM_FI_DEV_FB_USED 512\n", 0.5),
        (b"nothing of the kind", None),
        (b'{"used": 3}', None),
        (b"[1]", None),
    ],
    ids=["json", "dcgm", "dcgm-bare", "text", "another-key", "a-list"],
)
def test_a_metrics_address_may_speak_json_or_dcgm(body: bytes, expected: float | None) -> None:
    assert parse_used_gib(body) == expected


class FakeNvml:
    """NVIDIA's library as far as it is called; `status` is what it answers."""

    def __init__(self) -> None:
        self.status = 0

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return self.status

    def nvmlDeviceGetHandleByIndex_v2(self, index: ctypes.c_uint, gpu: object) -> int:  # noqa: N802
        assert index.value == 0
        return self.status

    def nvmlDeviceGetMemoryInfo(self, gpu: object, memory: object) -> int:  # noqa: N802
        memory._obj.used = 5 * GIB  # type: ignore[attr-defined]
        return self.status


async def test_nvml_is_asked_for_the_first_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeNvml()
    monkeypatch.setattr(
        vram, "ctypes", SimpleNamespace(**{**vars(ctypes), "CDLL": lambda _: library})
    )
    gauge = NvmlVram(LIMIT_S)
    assert await gauge.used_gib() == 5.0
    library.status = 15
    assert await gauge.used_gib() is None
    with pytest.raises(OSError, match="NVML answered with error 15"):
        NvmlVram(LIMIT_S)


def test_a_missing_library_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"libnvidia-none\.so"):
        NvmlVram(LIMIT_S, str(tmp_path / "libnvidia-none.so"))


async def test_without_a_gauge_nothing_is_known() -> None:
    assert await NoVram().used_gib() is None


async def test_a_driver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    library, goes_on = FakeNvml(), threading.Event()
    monkeypatch.setattr(
        vram, "ctypes", SimpleNamespace(**{**vars(ctypes), "CDLL": lambda _: library})
    )
    gauge = NvmlVram(limit_s=0.05)
    asked = []

    def hang(gpu: object, memory: object) -> int:
        asked.append(gpu)
        goes_on.wait(LIMIT_S)
        return FakeNvml.nvmlDeviceGetMemoryInfo(library, gpu, memory)

    library.nvmlDeviceGetMemoryInfo = hang  # type: ignore[method-assign]
    async with asyncio.timeout(LIMIT_S / 2):
        assert [await gauge.used_gib() for _ in range(3)] == [None] * 3
    assert len(asked) == 1  # whoever asks meanwhile does not hang a thread of their own
    goes_on.set()
    async with asyncio.timeout(LIMIT_S):
        while await gauge.used_gib() is None:  # noqa: ASYNC110  (of a thread)
            await asyncio.sleep(0.01)
