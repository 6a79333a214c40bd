"""Running other programs, with errors that are sentences."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

LINES_SHOWN = 25


class TestbedError(Exception):
    """A fault the reader can act on; its text says what is wrong and what to do."""

    __test__ = False


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(f"testbed | {line}", flush=True)


def as_root(*argv: str) -> list[str]:
    """Return the command as it must be typed to run with root's rights."""
    return list(argv) if os.geteuid() == 0 else ["sudo", *argv]


def run(
    argv: Sequence[str],
    *,
    limit_s: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
) -> str:
    """Run a program to its end and return what it printed; raise TestbedError when it fails."""
    try:
        done = subprocess.run(
            list(argv),
            env=os.environ | dict(env or {}),
            cwd=cwd,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=limit_s,
        )
    except FileNotFoundError as missing:
        raise TestbedError(f"the program {argv[0]} is not installed") from missing
    except subprocess.TimeoutExpired as late:
        raise TestbedError(f"{_shown(argv)} did not end within {limit_s:.0f} s") from late
    if done.returncode != 0:
        told = (done.stderr or done.stdout or b"").decode(errors="replace").splitlines()
        tail = "\n  ".join(told[-LINES_SHOWN:])
        raise TestbedError(f"{_shown(argv)} ended with {done.returncode}:\n  {tail}")
    return (done.stdout or b"").decode(errors="replace")


def succeeds(argv: Sequence[str], *, limit_s: float) -> bool:
    """Tell whether a program ends well, without a word about why not."""
    try:
        run(argv, limit_s=limit_s)
    except TestbedError:
        return False
    return True


def _shown(argv: Sequence[str]) -> str:
    return " ".join(argv[:6]) + (" ..." if len(argv) > 6 else "")
