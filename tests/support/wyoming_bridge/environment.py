"""A virtual environment with the real bridge, built once per list of pins and shared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cached_venv

PINS = Path(__file__).parents[3] / "molecule/testbed/wyoming-requirements.txt"
NEEDED = (3, 12)
BUILD_TIMEOUT_S = 300
# `def name[T](`: a function with parameters for types, which Python 3.11 cannot read.
GENERIC = re.compile(r"^(\s*def \w+)\[[^\]]+\]\(", re.MULTILINE)


def python() -> Path:
    """Return the interpreter of the environment, building it first if nobody has yet."""
    text = PINS.read_bytes() + Path(__file__).read_bytes() + sys.version.encode()
    return cached_venv.python("wyoming", text, _fill)


def _fill(folder: Path) -> None:
    # Only pip installs what names a later Python than the one that runs.
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install"]
    how = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    how += ["--only-binary", ":all:", "--ignore-requires-python", "--requirement", str(PINS)]
    subprocess.run([*pip, *how], check=True, timeout=BUILD_TIMEOUT_S)
    if sys.version_info < NEEDED:
        _make_readable(next(folder.glob("lib/python*/site-packages/wyoming_openai")))


def _make_readable(package: Path) -> None:
    """Write two functions as Python 3.11 reads them; what they do stays the same."""
    for file in package.glob("*.py"):
        text, found = GENERIC.subn(r"\1(", file.read_text())
        if found:
            file.write_text(f"from __future__ import annotations\n{text}")
