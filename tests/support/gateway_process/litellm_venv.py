"""A virtual environment with the real LiteLLM, built once per list of pins and shared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cached_venv

PINS = Path(__file__).parents[3] / "molecule/testbed/litellm-requirements.txt"
BUILD_TIMEOUT_S = 900


def python() -> Path:
    """Return the interpreter of the environment, building it first if nobody has yet."""
    return cached_venv.python("litellm", PINS.read_bytes(), _fill)


def _fill(folder: Path) -> None:
    print(f"Installing LiteLLM into {folder} (about 600 MB, once) ...", file=sys.stderr)
    # The pins are complete and override two of LiteLLM's own bounds, hence --no-deps. Compiled,
    # LiteLLM starts in a third of the time, also where Python may not write bytecode.
    uv = Path(sys.executable).parent / "uv"
    options = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode"]
    install = [str(uv), "pip", "install", *options, "-r", str(PINS)]
    environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
    subprocess.run(install, env=environment, check=True, timeout=BUILD_TIMEOUT_S)


if __name__ == "__main__":
    print(python())
