"""Both servers, each a process of its own until its context is left."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from free_ports import free_ports
from http_process import serving
from real_speech.models import VOICE

START_TIMEOUT_S = 120
KIB = 1024


@dataclass(frozen=True)
class Server:
    """Where a server answers, and its process."""

    url: str
    pid: int

    def memory_mib(self) -> tuple[float, float]:
        """Return what the process holds now and what it held at most."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        told = dict(line.split(":", 1) for line in lines)
        now, most = (int(told[name].split()[0]) / KIB for name in ("VmRSS", "VmHWM"))
        return now, most

    def cpu_s(self) -> float:
        """Return the processor time that the process has used."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def speaches(folder: Path, **environment: str) -> Iterator[Server]:
    """Run the simulator of Speaches with the models on a volume, in the environment of its pod."""
    (port,) = free_ports(1)
    told = {
        "UVICORN_HOST": "127.0.0.1",
        "UVICORN_PORT": str(port),
        "WHISPER__INFERENCE_DEVICE": "cpu",
        "WHISPER__COMPUTE_TYPE": "int8",
        "WHISPER__CPU_THREADS": str(os.cpu_count() or 1),
        "HF_HOME": str(folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "speaches_simulator"]
    with _running(command, port, folder / "speaches.log", told | environment) as server:
        yield server


@contextlib.contextmanager
def speaking(folder: Path, *, voice: str = VOICE) -> Iterator[Server]:
    """Run the speech server with a voice on a volume, as model `speaker`."""
    port, metrics_port = free_ports(2)
    model = {"name": "speaker", "default": "alloy", "voices": {"alloy": voice}}
    settings = {"port": port, "metrics_port": metrics_port, "workers": 2, "threads": 1}
    config = {"folder": str(folder / "voices"), "settings": settings, "models": [model]}
    file = folder / "speech.yaml"
    file.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "synapse_speech", "--config", str(file), "--host", "127.0.0.1"]
    with _running(command, port, folder / "speech.log", {}) as server:
        yield server


@contextlib.contextmanager
def _running(
    command: list[str], port: int, log: Path, environment: dict[str, str]
) -> Iterator[Server]:
    url = f"http://127.0.0.1:{port}"
    told = os.environ | environment
    with serving(command, url, log, start_s=START_TIMEOUT_S, environment=told) as process:
        yield Server(url, process.pid)
