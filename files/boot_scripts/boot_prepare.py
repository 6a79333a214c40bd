"""Run what an engine needs before it asks for the GPU, a download most of all, within limits."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from boot_reason import COLOUR, last_error

SAY_EVERY_S = 30.0
RESERVE_GIB = 2.0  # for what the engines compile and keep on the same volume
GIB = 1024**3
LINES = 50


class PrepareError(Exception):
    """What was to be prepared is not; the message is a sentence that names model and reason."""


@dataclass(frozen=True)
class Preparation:
    """One command, the folder it fills and what it may take."""

    model: str
    command: str
    limit_s: float
    folder: str = ""
    needs_gib: float = 0.0


def prepare(job: Preparation, say: Callable[[str], None], every_s: float = SAY_EVERY_S) -> None:
    """Run the command to its end, telling how far it is; raise PrepareError when it fails."""
    _check_space(job)
    began_s = time.monotonic()
    say(f"{job.command}: begins, with {_size_gib(job.folder):.1f} GiB there already")
    process = subprocess.Popen(  # noqa: S603  (the operator's command)
        shlex.split(job.command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: deque[str] = deque(maxlen=LINES)
    reader = threading.Thread(target=_listen, args=(process.stdout, lines, say), daemon=True)
    reader.start()
    try:
        while (status := _wait(process, began_s + job.limit_s - time.monotonic(), every_s)) is None:
            took_s = time.monotonic() - began_s
            if took_s >= job.limit_s:
                raise PrepareError(
                    f'{job.model}: "{job.command}" did not end within {job.limit_s:g} s '
                    "(--prepare-limit-s); what it downloaded stays, the next try goes on from there"
                )
            say(f"{job.command}: {_size_gib(job.folder):.1f} GiB so far, after {took_s:.0f} s")
    finally:
        process.kill()
        process.wait()
    reader.join(every_s)
    if status:
        why = last_error(lines)
        raise PrepareError(f'{job.model}: "{job.command}" failed with status {status}: {why}')
    took_s = time.monotonic() - began_s
    say(f"{job.command}: done after {took_s:.0f} s, {_size_gib(job.folder):.1f} GiB")


def _check_space(job: Preparation) -> None:
    if not job.folder or not job.needs_gib:
        return
    missing_gib = job.needs_gib - _size_gib(job.folder)
    there = next(path for path in (Path(job.folder), *Path(job.folder).parents) if path.exists())
    free_gib = shutil.disk_usage(there).free / GIB
    if missing_gib > 0 and missing_gib + RESERVE_GIB > free_gib:
        raise PrepareError(
            f"{job.model}: {missing_gib:.1f} GiB are still to come and {RESERVE_GIB:g} must stay "
            f"free, but the volume has {free_gib:.1f} GiB left; remove models or enlarge it"
        )


def _size_gib(folder: str) -> float:
    """Measure what lies in a folder, links not followed; a missing one is empty."""
    total = 0
    for parent, _, names in os.walk(folder) if folder else ():
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:  # renamed a moment ago, now that it is whole
                continue
    return total / GIB


def _wait(process: subprocess.Popen[str], left_s: float, every_s: float) -> int | None:
    try:
        return process.wait(max(0.0, min(left_s, every_s)))
    except subprocess.TimeoutExpired:
        return None


def _listen(stream: Iterable[str], lines: deque[str], say: Callable[[str], None]) -> None:
    """Pass on what the command says, without its colours."""
    for line in stream:
        if text := COLOUR.sub("", line).strip():
            say(text)
            lines.append(text)
