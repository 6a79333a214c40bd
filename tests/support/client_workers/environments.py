"""Where the packages of the clients live: installed once per list of pins, and shared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cached_venv
from client_workers.worker import Worker
from gateway_process import litellm_venv

CLIENTS = Path(__file__).parents[2] / "service/clients"
PINS, SCRIPTS = CLIENTS / "requirements.txt", CLIENTS / "js"
PROGRAMS = ["-m", "client_programs.worker"]
SUPPORT = {"PYTHONPATH": str(Path(__file__).parents[1])}
LISTS = ("package.json", "package-lock.json")
INSTALL_LIMIT_S = 600


def python(told: dict[str, str]) -> Worker:
    """Start a process that has the Python clients; `told` are variables for it."""
    interpreter = cached_venv.python("clients", PINS.read_bytes(), _fill)
    # LiteLLM carries the table by which OpenAI's models split texts; fetching it needs a network.
    tables = next(litellm_venv.python().parents[1].glob("lib/python3*/site-packages/litellm"))
    cache = {"TIKTOKEN_CACHE_DIR": str(tables / "litellm_core_utils/tokenizers")}
    return Worker([str(interpreter), *PROGRAMS], told | SUPPORT | cache)


def litellm(told: dict[str, str]) -> Worker:
    """Start a process that has LiteLLM's client."""
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return Worker([str(litellm_venv.python()), *PROGRAMS], told | SUPPORT | local)


def javascript(folder: Path, told: dict[str, str]) -> Worker:
    """Start a process that has the JavaScript clients, with copies of the scripts in `folder`."""
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(_node_modules())
    return Worker([_program("node"), str(folder / "worker.mjs")], told)


def coding_agent(name: str) -> Path:
    """Return the program of Claude Code (`claude`) or of Codex (`codex`)."""
    return _node_modules() / ".bin" / name


def _node_modules() -> Path:
    made_from = b"".join((SCRIPTS / name).read_bytes() for name in LISTS)
    return cached_venv.folder("clients-js", made_from, _fill_with_node) / "node_modules"


def _fill(folder: Path) -> None:
    print(f"Installing the Python clients into {folder} (300 MB, once) ...", file=sys.stderr)
    uv = Path(sys.executable).parent / "uv"
    how = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode", "-r", str(PINS)]
    _run([str(uv), "pip", "install", *how], folder, {"VIRTUAL_ENV": str(folder)})


def _fill_with_node(folder: Path) -> None:
    said = f"Installing the JavaScript clients, Claude Code and Codex into {folder}"
    print(f"{said} (900 MB, once) ...", file=sys.stderr)
    for name in LISTS:
        shutil.copy(SCRIPTS / name, folder)
    _run([_program("npm"), "ci", "--silent", "--no-audit", "--no-fund"], folder, {})


def _run(command: list[str], folder: Path, told: dict[str, str]) -> None:
    environment = {**os.environ, **told}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=INSTALL_LIMIT_S)


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is missing: make test-service installs it"
    return found


if __name__ == "__main__":
    print(_node_modules(), cached_venv.python("clients", PINS.read_bytes(), _fill))
