"""The real server with the real Piper, as a process of its own, and two voices made here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import piper_voice
from free_ports import free_ports
from gateway_process import environment
from http_process import serving

REPOSITORY = Path(__file__).parents[3]
PATHS = f"{REPOSITORY}/files"
START_TIMEOUT_S = 60
VOICES = {
    "alloy": "en_US-hum-low",
    "nova": "de_DE-hum-low",
    "onyx": "de_DE-hum-low#1",
    "lost": "de_DE-lost-low",
    "torn": "de_DE-torn-low",
}
"""The last two cannot be loaded: the one has no files, the other half of one."""


@pytest.fixture(scope="session")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Make the voices; return the server's configuration."""
    folder = tmp_path_factory.mktemp("voices")
    piper_voice.make(folder, "en_US-hum-low", hertz=220)
    piper_voice.make(folder, "de_DE-hum-low", hertz=330, language="de", speakers=2)
    (folder / "de_DE-torn-low.onnx").write_bytes((folder / "de_DE-hum-low.onnx").read_bytes()[:99])
    facts = (folder / "de_DE-hum-low.onnx.json").read_text()
    (folder / "de_DE-torn-low.onnx.json").write_text(facts)
    port, metrics_port = free_ports(2)
    models = [
        {"name": "piper", "voices": VOICES, "default": "alloy"},
        {"name": "mute", "voices": {"lost": VOICES["lost"]}, "default": "lost"},
    ]
    settings = {"port": port, "metrics_port": metrics_port, "workers": 2}
    return {"folder": str(folder), "models": models, "settings": settings}


def command(folder: Path, configuration: dict[str, Any], *more: str) -> list[str]:
    """Write the configuration; return the command line."""
    file = folder / "speech.yaml"
    file.write_text(yaml.safe_dump(configuration))
    options = ["--config", str(file), "--host", "127.0.0.1", *more]
    return [sys.executable, "-m", "synapse_speech", *options]


@pytest.fixture(scope="session")
def server(
    configuration: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Start the server; yield its address; see it stop when it is asked to."""
    folder = tmp_path_factory.mktemp("speech")
    url = f"http://127.0.0.1:{configuration['settings']['port']}"
    told = environment(PYTHONPATH=PATHS)
    started = command(folder, configuration)
    log = folder / "log.txt"
    with serving(started, url, log, start_s=START_TIMEOUT_S, environment=told) as process:
        yield url
    assert process.returncode in (0, -15)


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server, timeout=60) as made:
        yield made
