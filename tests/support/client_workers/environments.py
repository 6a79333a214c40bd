"""Where the packages of the clients live: installed once per list of pins, and shared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import cached_venv
from client_workers.worker import Worker
from gateway_process import litellm_venv

CLIENTS = Path(__file__).parents[2] / "service/clients"
PINS, SCRIPTS = CLIENTS / "requirements.txt", CLIENTS / "js"
LLAMAINDEX_PINS = CLIENTS / "llamaindex-requirements.txt"
PROGRAMS = ["-m", "client_programs.worker"]
SUPPORT = {"PYTHONPATH": str(Path(__file__).parents[1])}
LISTS = ("package.json", "package-lock.json")
INSTALL_LIMIT_S = 600


def python(told: dict[str, str]) -> Worker:
    """Start a process that has the Python clients; `told` are variables for it."""
    return Worker([str(interpreter()), *PROGRAMS], told | SUPPORT | tables())


def interpreter() -> Path:
    """Return the Python that has the clients."""
    return cached_venv.python("clients", PINS.read_bytes(), partial(_fill, PINS))


def llamaindex() -> Path:
    """Return the Python that has LlamaIndex, which wants an older package of OpenAI's."""
    fill = partial(_fill, LLAMAINDEX_PINS)
    return cached_venv.python("llamaindex", LLAMAINDEX_PINS.read_bytes(), fill)


def tables() -> dict[str, str]:
    """Return where the table is by which OpenAI's models split texts: fetching needs a network."""
    carried = next(litellm_venv.python().parents[1].glob("lib/python3*/site-packages/litellm"))
    return {"TIKTOKEN_CACHE_DIR": str(carried / "litellm_core_utils/tokenizers")}


def litellm(told: dict[str, str]) -> Worker:
    """Start a process that has LiteLLM's client."""
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return Worker([str(litellm_venv.python()), *PROGRAMS], told | SUPPORT | local)


def javascript(folder: Path, told: dict[str, str]) -> Worker:
    """Start a process that has the JavaScript clients, with copies of the scripts in `folder`."""
    return Worker(script(folder, "worker"), told)


def script(folder: Path, name: str) -> list[str]:
    """Return the command that runs one of the scripts, of which `folder` gets copies."""
    for file in SCRIPTS.glob("*.mjs"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(_node_modules())
    return [_program("node"), str(folder / f"{name}.mjs")]


def coding_agent(name: str) -> Path:
    """Return the program of Claude Code (`claude`) or of Codex (`codex`)."""
    return _node_modules() / ".bin" / name


def _node_modules() -> Path:
    made_from = b"".join((SCRIPTS / name).read_bytes() for name in LISTS)
    return cached_venv.folder("clients-js", made_from, _fill_with_node) / "node_modules"


def _fill(pins: Path, folder: Path) -> None:
    print(f"Installing {pins.name} into {folder} (200 to 300 MB, once) ...", file=sys.stderr)
    uv = Path(sys.executable).parent / "uv"
    how = ["--quiet", "--no-deps", "--require-hashes", "--compile-bytecode", "-r", str(pins)]
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
    print(_node_modules(), interpreter(), llamaindex())
