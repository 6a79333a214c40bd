"""Child processes of a measurement, each of one thread, and always ended."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

START_S = 20.0


@asynccontextmanager
async def running(
    module: str, *arguments: str, port: int, log: Path | None = None
) -> AsyncIterator[int]:
    """Run a module until the block ends; yield its process id once its port answers."""
    _check_free(module, port)
    output = asyncio.subprocess.DEVNULL if log is None else log.open("wb")
    errors = None if log is None else asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=output, stderr=errors
    )
    try:
        await _answers(process, module, port)
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _check_free(module: str, port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise RuntimeError(f"port {port} is taken, so {module} cannot listen there")


async def _answers(process: asyncio.subprocess.Process, module: str, port: int) -> None:
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                return
    except TimeoutError as error:
        raise RuntimeError(f"{module} did not listen on port {port} in {START_S:g} s") from error
    raise RuntimeError(f"{module} ended with status {process.returncode} instead of listening")


def resident_mib(pid: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def cpu_s(pids: Sequence[int]) -> float:
    """Return the processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
