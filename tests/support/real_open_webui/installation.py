"""The pinned Open WebUI from its package, without the models of its own, installed once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cached_venv

PINS = Path(__file__).parents[2] / "real_open_webui/requirements.txt"
INSTALL_LIMIT_S = 1800


def version() -> str:
    """Return the version that is under test."""
    return pins()["open-webui"]


def pins() -> dict[str, str]:
    """Return every package of the list with its version."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", PINS.read_text(), re.MULTILINE))


def python() -> Path:
    """Return its interpreter, installed first if nobody has yet: 1.2 GB of disk."""
    return cached_venv.python("open-webui", PINS.read_bytes(), _fill)


def packages() -> int:
    """Return how many packages are installed."""
    return sum(1 for _ in python().parents[1].glob("lib/python3*/site-packages/*.dist-info"))


def took_s() -> str:
    """Return how long the installation took, with what was downloaded before."""
    return (python().parents[1] / "took_s").read_text()


def _fill(folder: Path) -> None:
    print(f"Installing Open WebUI {version()} into {folder} (1.2 GB, once) ...", file=sys.stderr)
    uv = Path(sys.executable).parent / "uv"
    options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode"]
    began_s = time.monotonic()
    subprocess.run(
        [str(uv), "pip", "install", *options, "-r", str(PINS)],
        env={**os.environ, "VIRTUAL_ENV": str(folder)},
        check=True,
        timeout=INSTALL_LIMIT_S,
    )
    (folder / "took_s").write_text(f"{time.monotonic() - began_s:.1f}")
