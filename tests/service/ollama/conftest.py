"""A real Ollama on 127.0.0.1, and the registry it pulls from."""

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from free_ports import free_ports
from ollama_registry import Registry
from synapse_ollama.ollama import Ollama

START_LIMIT_S = 20
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "synapse/testbed/ollama"


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Ollama that the testbed built; without one these tests have nothing to prove."""
    built = sorted(CACHE.glob("[0-9a-f]*/layer.tar"), key=lambda path: path.stat().st_mtime)
    if not built:
        pytest.skip("no Ollama was built yet; `make demo` and `make test` build one")
    folder = tmp_path_factory.mktemp("ollama")
    with tarfile.open(built[-1]) as layer:
        layer.extractall(folder, filter="data")
    return next(path for path in folder.rglob("ollama") if path.is_file())


@pytest.fixture
def url(binary: Path, tmp_path: Path) -> Iterator[str]:
    """A running Ollama with an empty volume in `tmp_path/data`."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    data = tmp_path / "data"
    data.mkdir()
    env = {
        "PATH": f"{binary.parent}:{os.environ['PATH']}",
        "HOME": str(data),
        "OLLAMA_HOST": address,
        "OLLAMA_MODELS": str(data / "models"),
        "OLLAMA_NO_CLOUD": "1",
    }
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([binary, "serve"], env=env, stdout=log, stderr=log)
        try:
            _wait_until_it_answers(f"http://{address}/", server)
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(timeout=START_LIMIT_S)
            shutil.rmtree(data)


def _wait_until_it_answers(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            continue
        return
    raise AssertionError(f"Ollama did not answer at {url} within {START_LIMIT_S} s")


@pytest.fixture
def ollama(url: str, tmp_path: Path) -> Ollama:
    """What the fetcher holds of it."""
    (tmp_path / "files").mkdir()
    return Ollama(url, tmp_path / "data", tmp_path / "files")


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry with every fault."""
    with Registry() as running:
        yield running


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """Make a resolved catalogue entry."""

    def make(name: str, source: str, **given: Any) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "kind": "chat",
            "context": None,
            "engine_args": {},
            "disk_gib": None,
        }
        return {"name": name, "source": source, **empty, **given}

    return make
