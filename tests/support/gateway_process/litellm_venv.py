"""A virtual environment with the real LiteLLM, built once per list of pins and shared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS = Path(__file__).parents[3] / "molecule/testbed/litellm-requirements.txt"
BUILD_TIMEOUT_S = 900


def python() -> Path:
    """Return the interpreter of the environment, building it first if nobody has yet."""
    digest = hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "synapse"
    folder = cache / f"litellm-{digest}"
    ready = folder / ".ready"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"litellm-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder)
            ready.touch()
    return folder / "bin/python"


def _build(folder: Path) -> None:
    print(f"Installing LiteLLM into {folder} (about 600 MB, once) ...", file=sys.stderr)
    venv.create(folder, with_pip=False)
    # The pins are complete and override two of LiteLLM's own bounds, hence --no-deps. Compiled,
    # LiteLLM starts in a third of the time, also where Python may not write bytecode.
    uv = Path(sys.executable).parent / "uv"
    options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode"]
    install = [str(uv), "pip", "install", *options, "-r", str(PINS)]
    environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
    subprocess.run(install, env=environment, check=True, timeout=BUILD_TIMEOUT_S)


if __name__ == "__main__":
    print(python())
