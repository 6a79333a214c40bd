"""The ways to one engine, as processes here: they share one core, load and engine another."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from arbiter_bench.load import CHAT, question
from arbiter_bench.processes import resident_mib
from gateway_bench import site
from gateway_process import command, environment, until, write_config
from litellm_process import KEY as LITELLM_KEY
from litellm_process import LiteLLM

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


@dataclass(frozen=True)
class Way:
    """One way to an answer of the engine."""

    port: int
    model: str = site.STRAIGHT
    path: str = CHAT
    key: str = ""
    pids: tuple[int, ...] = ()
    """What lies between the load and the engine."""

    def question(self, model: str = "", *, stream: bool = False) -> bytes:
        """Return a request on this way, for its own model or another one."""
        return question(model or self.model, self.path, stream=stream, key=self.key)


@dataclass(frozen=True)
class Site:
    """All ways by name, and the gateway's memory before its first request."""

    ways: dict[str, Way]
    edge_pid: int
    fresh_mib: float


@contextlib.contextmanager
def running() -> Iterator[Site]:
    """Start the engine and everything before it; stop it all at the end."""
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, cores[-1:])  # whoever is started from here on is there as well
        _start(stack, folder, site.ENGINE, "arbiter_bench.upstream", str(site.ENGINE))
        _start(stack, folder, site.EARS_ENGINE, "openai_stub", str(site.EARS_ENGINE))
        os.sched_setaffinity(0, cores[:1])
        copy = _copy(stack, folder, site.COPY, site.ENGINE)
        again = _copy(stack, folder, site.COPY_TWICE, site.COPY)
        (folder / "arbiter.yaml").write_text(yaml.safe_dump(site.arbiter()))
        told = ["--config", "arbiter.yaml"]
        arbiter = _start(stack, folder, site.ARBITER, "synapse_arbiter", *told)
        litellm = LiteLLM(folder / "litellm", site.litellm(), site.LITELLM)
        stack.callback(litellm.stop)
        litellm.start()
        edge = _run(stack, folder, site.EDGE, command(write_config(folder, site.edge())))
        fresh_mib = resident_mib(edge)
        os.sched_setaffinity(0, cores[-1:])
        assert litellm.process is not None
        yield Site(_ways(copy, again, arbiter, litellm.process.pid, edge), edge, fresh_mib)


def _ways(copy: int, again: int, arbiter: int, litellm: int, edge: int) -> dict[str, Way]:
    return {
        "the engine": Way(site.ENGINE),
        "the engine, as Ollama": Way(site.ENGINE, path="/api/chat"),
        "bare proxy": Way(site.COPY, pids=(copy,)),
        "bare proxy twice": Way(site.COPY_TWICE, pids=(copy, again)),
        "arbiter": Way(site.ARBITER, site.ARBITRATED, pids=(arbiter,)),
        "LiteLLM alone": Way(site.LITELLM, key=LITELLM_KEY, pids=(litellm,)),
        "edge": Way(site.EDGE, key=site.KEY, pids=(edge,)),
        "edge, Ollama": Way(site.EDGE, site.NATIVE, key=site.KEY, pids=(edge,)),
        "edge, arbiter": Way(site.EDGE, site.ARBITRATED, key=site.KEY, pids=(edge, arbiter)),
    }


def _copy(stack: contextlib.ExitStack, folder: Path, port: int, to: int) -> int:
    return _start(stack, folder, port, "arbiter_bench.baseline", str(port), site.url(to))


def _start(
    stack: contextlib.ExitStack, folder: Path, port: int, module: str, *arguments: str
) -> int:
    return _run(stack, folder, port, [sys.executable, "-m", module, *arguments])


def _run(stack: contextlib.ExitStack, folder: Path, port: int, line: list[str]) -> int:
    """Run a command until the stack ends; return its process's number once its port is open."""
    log = folder / f"{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            line, cwd=folder, env=environment(), stdout=out, stderr=subprocess.STDOUT
        )
    stack.callback(process.wait, STOP_TIMEOUT_S)
    stack.callback(process.terminate)

    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{site.url(port)}{READY.get(port, '/')}").status_code == 200
        except httpx.TransportError:
            return False

    until(ready, START_TIMEOUT_S, log.read_text)
    return process.pid


READY = {site.EDGE: "/health/ready", site.ARBITER: "/readyz", site.EARS_ENGINE: "/api/version"}
"""What answers once a process can be asked; the others answer anything."""
