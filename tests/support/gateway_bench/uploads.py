"""What the gateway's memory does while recordings of the largest size pass through it at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from arbiter_bench.processes import resident_mib
from gateway_bench.site import EARS, EDGE, KEY, url

UPLOADS = 10
RECORDING_MIB = 25
MIB = 1024**2
FORGET_PEAK = "5"
"""Written to clear_refs it makes the kernel measure a process's peak anew."""


async def memory(edge_pid: int) -> tuple[float, float]:
    """Return the memory in MiB before the uploads, and the most that it was meanwhile."""
    recording = bytes(RECORDING_MIB * MIB)
    async with aiohttp.ClientSession() as session:
        await _hear(session, recording[:MIB])
        before_mib = resident_mib(edge_pid)
        _forget_peak(edge_pid)
        await asyncio.gather(*(_hear(session, recording) for _ in range(UPLOADS)))
    return before_mib, _peak_mib(edge_pid)


async def _hear(session: aiohttp.ClientSession, recording: bytes) -> None:
    form = aiohttp.FormData({"model": EARS})
    form.add_field("file", recording, filename="long.wav")
    headers = {"authorization": f"Bearer {KEY}"}
    address = f"{url(EDGE)}/v1/audio/transcriptions"
    async with session.post(address, data=form, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text(FORGET_PEAK)


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
