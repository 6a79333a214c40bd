"""What the gateway's memory does while recordings of the largest size pass through it at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from gateway_bench.contenders import EARS, Contender

UPLOADS = 10
RECORDING_MIB = 25
MIB = 1024**2
FORGET_PEAK = "5"
"""Written to clear_refs it makes the kernel measure a process's peak anew."""


async def memory(gateway: Contender) -> tuple[float, float]:
    """Return the memory in MiB before the uploads, and the most that it was meanwhile."""
    recording = bytes(RECORDING_MIB * MIB)
    async with aiohttp.ClientSession() as session:
        await _hear(session, gateway, recording[:MIB])
        before_mib = _status_mib(gateway, "VmRSS")
        _forget_peak(gateway)
        await asyncio.gather(*(_hear(session, gateway, recording) for _ in range(UPLOADS)))
    return before_mib, _status_mib(gateway, "VmHWM")


async def _hear(session: aiohttp.ClientSession, gateway: Contender, recording: bytes) -> None:
    form = aiohttp.FormData({"model": EARS})
    form.add_field("file", recording, filename="long.wav")
    headers = {"authorization": f"Bearer {gateway.key}"}
    url = f"{gateway.url}/v1/audio/transcriptions"
    async with session.post(url, data=form, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


def _forget_peak(contender: Contender) -> None:
    Path(f"/proc/{contender.pid}/clear_refs").write_text(FORGET_PEAK)


def _status_mib(contender: Contender, name: str) -> float:
    lines = Path(f"/proc/{contender.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
