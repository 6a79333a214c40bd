"""How much of the GPU's memory is in use, as NVML or a metrics address tells it."""

from __future__ import annotations

import asyncio
import ctypes
import re
from typing import Protocol

import aiohttp
import orjson

GIB = 1024**3
DCGM_USED_MIB = re.compile(rb"^DCGM_FI_DEV_FB_USED(?:\{[^}]*\})? ([0-9.eE+]+)", re.MULTILINE)


class Vram(Protocol):
    """One GPU's memory gauge."""

    async def used_gib(self) -> float | None:
        """Return what is in use by everybody, or None when it cannot be read now."""


class NoVram:
    """No gauge: transitions are then verified by the engines' answers alone."""

    async def used_gib(self) -> float | None:
        """Return None, always."""
        return None


class Remembered:
    """A gauge that also tells what it read last, whoever asked it."""

    def __init__(self, gauge: Vram) -> None:
        """Read this gauge."""
        self._gauge = gauge
        self.last_gib: float | None = None

    async def used_gib(self) -> float | None:
        """Read the gauge once."""
        self.last_gib = await self._gauge.used_gib()
        return self.last_gib


class HttpVram:
    """A gauge behind an address: JSON with used_bytes, or DCGM's Prometheus text."""

    def __init__(self, url: str, http: aiohttp.ClientSession, limit_s: float) -> None:
        """Read this address."""
        self._url = url
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=limit_s)

    async def used_gib(self) -> float | None:
        """Read the address once; None when it is away or says something else."""
        try:
            async with self._http.get(self._url, timeout=self._timeout) as response:
                return parse_used_gib(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


class NvmlVram:
    """The first GPU through NVIDIA's own library; needs the driver, not a share of the GPU."""

    class _Memory(ctypes.Structure):
        _fields_ = (
            ("total", ctypes.c_ulonglong),
            ("free", ctypes.c_ulonglong),
            ("used", ctypes.c_ulonglong),
        )

    def __init__(self, limit_s: float, library: str = "libnvidia-ml.so.1") -> None:
        """Open the library; OSError when it or the driver is missing."""
        self._limit_s = limit_s
        self._reading: asyncio.Task[float] | None = None
        self._nvml = ctypes.CDLL(library)
        self._gpu = ctypes.c_void_p()
        self._check(self._nvml.nvmlInit_v2())
        handle = ctypes.byref(self._gpu)
        self._check(self._nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(0), handle))

    async def used_gib(self) -> float | None:
        """Read the GPU once, off the event loop: a driver may take its time, or hang for good.

        Whoever asks while a reading is under way shares it, so that only one thread ever hangs.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self._used_gib))
        try:
            return await asyncio.wait_for(asyncio.shield(self._reading), self._limit_s)
        except (OSError, TimeoutError):
            return None

    def _used_gib(self) -> float:
        memory = self._Memory()
        self._check(self._nvml.nvmlDeviceGetMemoryInfo(self._gpu, ctypes.byref(memory)))
        return float(memory.used) / GIB

    @staticmethod
    def _check(status: int) -> None:
        if status != 0:
            raise OSError(f"NVML answered with error {status}")


def parse_used_gib(body: bytes) -> float | None:
    """Read the used memory out of JSON (`used_bytes`) or Prometheus text (DCGM, MiB)."""
    found = DCGM_USED_MIB.search(body)
    if found:
        return float(found[1]) / 1024
    try:
        return float(orjson.loads(body)["used_bytes"]) / GIB
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def open_vram(source: str, http: aiohttp.ClientSession, limit_s: float) -> Vram:
    """Open the gauge the configuration names; OSError when NVML is asked for and missing."""
    if source == "nvml":
        return NvmlVram(limit_s)
    if source == "none":
        return NoVram()
    return HttpVram(source, http, limit_s)
