"""Environments that tests need beside their own: each built once and shared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import venv
from collections.abc import Callable
from pathlib import Path


def python(name: str, made_from: bytes, fill: Callable[[Path], None]) -> Path:
    """Return the interpreter of an environment, built and filled first if nobody has yet.

    Another `made_from`, such as its list of pins, is another environment.
    """

    def make(folder: Path) -> None:
        venv.create(folder, with_pip=False)
        fill(folder)

    return folder(name, made_from, make) / "bin/python"


def folder(name: str, made_from: bytes, fill: Callable[[Path], None]) -> Path:
    """Return a folder, made and filled first if nobody has yet; `made_from` as above."""
    digest = hashlib.sha256(made_from).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "synapse"
    made = cache / f"{name}-{digest}"
    ready = made / ".ready"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            fill(made)
            ready.touch()
    return made
