"""A virtual environment with the real bridge, built once per list of pins and shared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS = Path(__file__).parents[3] / "molecule/testbed/wyoming-requirements.txt"
NEEDED = (3, 12)
BUILD_TIMEOUT_S = 300
# `def name[T](`: a function with parameters for types, which Python 3.11 cannot read.
GENERIC = re.compile(r"^(\s*def \w+)\[[^\]]+\]\(", re.MULTILINE)


def python() -> Path:
    """Return the interpreter of the environment, building it first if nobody has yet."""
    text = PINS.read_bytes() + Path(__file__).read_bytes() + sys.version.encode()
    digest = hashlib.sha256(text).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "synapse"
    folder = cache / f"wyoming-{digest}"
    ready = folder / ".ready"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"wyoming-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder)
            ready.touch()
    return folder / "bin/python"


def _build(folder: Path) -> None:
    venv.create(folder, with_pip=False)
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
