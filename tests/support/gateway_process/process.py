"""The real gateway process, with a configuration written for it and its log lines read back."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import yaml

from free_ports import free_ports
from gateway_process import litellm_venv

FILES = Path(__file__).parents[3] / "files"
START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 30
LINE_TIMEOUT_S = 10
PEOPLE_SECRET = "what-hashes-of-people-are-made-with"
MASTER_KEY = "sk-synapse-master-0123456789abcdef"


def write_config(folder: Path, gateway: dict[str, Any]) -> list[str]:
    """Write the configuration and the keys (`sk-synapse-<app>`); return the command's arguments."""
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "synapse-master").write_text(MASTER_KEY)
    for app in gateway["apps"]:
        (keys / app["name"]).write_text(f"sk-synapse-{app['name']}\n")
    (folder / "gateway.yaml").write_text(yaml.safe_dump(gateway))
    files = ["--config", "gateway.yaml", "--keys", "keys", "--usage", "usage.sqlite"]
    return [*files, "--host", "127.0.0.1"]


def command(arguments: list[str]) -> list[str]:
    """Return the command line that starts the gateway."""
    return [str(litellm_venv.python()), "-m", "synapse_gateway", *arguments]


def environment(**extra: str) -> dict[str, str]:
    """Return the gateway's environment."""
    return {**os.environ, "PYTHONPATH": str(FILES), "PEOPLE_SECRET": PEOPLE_SECRET, **extra}


class Gateway:
    """A running gateway on 127.0.0.1."""

    def __init__(self, folder: Path, gateway: dict[str, Any]) -> None:
        """Write the configuration; `start` runs it."""
        self.folder = folder
        self.inner_port = gateway["settings"].get("inner_port") or free_ports(1)[0]
        settings = {**gateway["settings"], "inner_port": self.inner_port}
        gateway = {**gateway, "settings": settings}
        self.port = gateway["settings"]["port"]
        self.metrics_port = gateway["settings"]["metrics_port"]
        self.arguments = write_config(folder, gateway)
        self.lines: list[dict[str, Any]] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *folders: Path, **more: str) -> None:
        """Start it, with these folders on its path and these variables too; wait until ready."""
        self.process = subprocess.Popen(
            command(self.arguments),
            cwd=self.folder,
            env=environment(PYTHONPATH=os.pathsep.join(map(str, (FILES, *folders))), **more),
            stdout=subprocess.PIPE,
            stderr=(self.folder / "stderr.txt").open("wb"),
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        until(self._ready, START_TIMEOUT_S, lambda: (self.folder / "stderr.txt").read_text())

    def stop(self) -> int:
        """End the process as Kubernetes does; return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT_S)

    @property
    def pid(self) -> int:
        """Return the number of the running process."""
        assert self.process is not None
        return self.process.pid

    def deleted_files(self) -> list[str]:
        """Return the files without a name that the process still holds open, such as uploads."""
        names = []
        for file in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed in this instant
                names.append(os.readlink(file))
        return [name for name in names if name.endswith(" (deleted)")]

    def line_of(self, request_id: str) -> dict[str, Any]:
        """Return the one log line of a request, waiting for it to be written."""
        found: list[dict[str, Any]] = []

        def written() -> bool:
            found[:] = [line for line in list(self.lines) if line.get("request_id") == request_id]
            return bool(found)

        until(written, LINE_TIMEOUT_S, lambda: f"no log line for {request_id}")
        assert len(found) == 1, found
        return found[0]

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of one series, 0 when it does not exist."""
        from prometheus_client.parser import text_string_to_metric_families

        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return 0.0

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "stderr.txt").read_text()
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            self.lines.append(json.loads(raw))


class Process(Protocol):
    """What can be started and stopped: the gateway, or LiteLLM."""

    def start(self, *folders: Path, **more: str) -> None:
        """Start it, with these folders on its path and these variables too; wait until ready."""

    def stop(self) -> int:
        """End it; return its exit status."""


Started = TypeVar("Started", bound=Process)


@contextlib.contextmanager
def started(process: Started, *folders: Path, **more: str) -> Iterator[Started]:
    """Have a process run while the block does, whether or not it became ready."""
    try:
        process.start(*folders, **more)
        yield process
    finally:
        process.stop()


def events(text: str) -> list[Any]:
    """Return the data of a stream's events."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def until(condition: Callable[[], bool], limit_s: float, why: Callable[[], str]) -> None:
    """Wait for the condition, at most limit_s; fail with the reason otherwise."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)
