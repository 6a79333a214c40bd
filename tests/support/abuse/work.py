"""What a process has used: the processor's time of all its threads, and memory."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

FORGET_PEAK = "5"
"""Written to clear_refs it makes the kernel measure a process's peak anew."""
NANOSECONDS = 1e9
ROUNDS = 300_000
"""Of the piece of work by which a machine's pace is measured."""
ROUNDS_S = 0.01
"""How long they take on a machine for which the limits of work are meant."""


def cpu_s(*pids: int) -> float:
    """Return the processor time of all threads, to the nanosecond; it does not run while others do.

    So the work that one client waits for is the same on a busy machine and on an idle one.
    """
    spent = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in (task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                spent += int((thread / "schedstat").read_text().split()[0])
    return spent / NANOSECONDS


def slowness() -> float:
    """Return how many times slower the machine is now than the limits are meant for, at least 1.

    Others on it, or a slower processor, make every piece of work longer in processor time too.
    """
    found_s = []
    for _ in range(3):
        begun_s, total = time.thread_time(), 0
        for number in range(ROUNDS):
            total += number * number % 7
        found_s.append(time.thread_time() - begun_s)
    return max(1.0, sorted(found_s)[1] / ROUNDS_S)


def forget_peak(pid: int) -> None:
    """Let the peak be what is in use now."""
    Path(f"/proc/{pid}/clear_refs").write_text(FORGET_PEAK)


def peak_mib(pid: int) -> float:
    """Return the most memory that was resident."""
    return _status_mib(pid, "VmHWM:")


def resident_mib(pid: int) -> float:
    """Return the memory that is resident."""
    return _status_mib(pid, "VmRSS:")


def _status_mib(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)
