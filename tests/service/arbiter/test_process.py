"""The program itself: what it says when it cannot start, and how it stops."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from free_ports import free_ports

ROOT = Path(__file__).parents[3]
LIMIT_S = 30.0


def start(path: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "synapse_arbiter", "--config", str(path), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def config(path: Path, source: str, port: int = 0) -> Path:
    names = ("inference", "boot", "metrics", "operator")
    ports = dict(zip(names, [*free_ports(3), port or free_ports(1)[0]], strict=True))
    model = {"name": "a", "url": "http://127.0.0.1:9", "vram_gib": 24}
    gpu = {"vram_gib": 32, "vram_source": source}
    path.write_text(json.dumps({"ports": ports, "models": [model], "gpu": gpu}))
    return path


def test_every_fault_of_the_configuration_is_a_line_and_the_status_is_two(tmp_path: Path) -> None:
    path = tmp_path / "arbiter.yml"
    path.write_text("{models: [], gpu: {}}")
    process = start(path)
    _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    assert told.splitlines() == [
        "The configuration cannot be used:",
        "models is empty",
        'gpu: the key "vram_gib" is missing',
    ]


def test_a_missing_driver_is_one_sentence(tmp_path: Path) -> None:
    process = start(config(tmp_path / "arbiter.json", "nvml"))
    _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    assert told.startswith("The arbiter cannot start: ")
    assert "Traceback" not in told


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(config(tmp_path / "arbiter.json", "none", port))
        _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2
    assert "address already in use" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_gracefully_and_its_log_is_json(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = start(config(tmp_path / "arbiter.json", "none"))
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert first["event"] == "transition"
    assert first["action"] == "reconcile"
    process.send_signal(number)
    rest, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert told == ""
    for line in rest.splitlines():
        assert json.loads(line)["event"]
