"""The commands `vllm` and `hf` of the simulated engine's image, run as its pod runs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from free_ports import free_ports
from synapse_testbed.gpu import ENGINE_PROGRAMS
from vllm_simulator import GIB
from vllm_simulator.gpu import DirectoryGpu

LIMIT_S = 30
Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Start one of the image's commands with a cache and a GPU's folder of its own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("vllm", "hf"):
        (programs / name).symlink_to(ENGINE_PROGRAMS / f"{name}.py")

    def start(*argv: str, **environment: str) -> "subprocess.Popen[str]":
        variables = {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HF_HOME": str(tmp_path / "hub"),
            "VLLM_SIMULATOR_GPU": str(tmp_path / "gpu"),
            "VLLM_SIMULATOR_BOOT_S": "0",
        }
        pipe = subprocess.PIPE
        env = variables | environment
        return subprocess.Popen(argv, env=env, text=True, stdout=pipe, stderr=pipe)

    return start


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Wait for the end: the status, what was printed, what was complained about."""
    with process:
        out, errors = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, errors


def test_a_download_shows_its_progress_and_is_done_once(command: Command, tmp_path: Path) -> None:
    status, out, _ = ended(command("hf", "download", "Some/Model"))
    assert (status, out.splitlines()[-1]) == (0, "Some/Model: 100 %")
    assert ended(command("hf", "download", "Some/Model")) == (0, "", "")
    offline = command("hf", "download", "Some/Model", HF_HUB_OFFLINE="1")
    assert ended(offline) == (0, "", "")
    assert (tmp_path / "hub/hub/models--Some--Model/refs/main").exists()


def test_what_cannot_be_had_is_refused_with_a_sentence(command: Command) -> None:
    status, _, errors = ended(command("hf", "download", "Some/missing-model"))
    assert (status, "Repository Not Found" in errors) == (1, True)
    status, _, errors = ended(command("hf", "download", "Some/Model", HF_HUB_OFFLINE="1"))
    assert (status, "Some/Model in the local cache" in errors) == (1, True)


def test_vllm_needs_a_gpu(command: Command, tmp_path: Path) -> None:
    status, _, errors = ended(command("vllm", "serve", "Some/Model"))
    assert (status, "Failed to infer device type" in errors) == (1, True)
    assert not (tmp_path / "gpu").exists()


def test_vllm_fetches_its_model_serves_it_and_heeds_signals(
    command: Command, tmp_path: Path
) -> None:
    gpu = DirectoryGpu(tmp_path / "gpu", 32 * GIB)
    port = str(free_ports(1)[0])
    options = ["--served-model-name", "a", "--port", port, "--gpu-memory-utilization", "0.5"]
    with command("vllm", "serve", "Some/Model", *options, "--enable-sleep-mode") as engine:
        assert engine.stdout is not None
        lines: list[str] = []
        while not lines or " serves on " not in lines[-1]:
            lines.append(engine.stdout.readline())
            assert lines[-1], engine.communicate(timeout=LIMIT_S)
        assert lines[-1] == f"a serves on http://0.0.0.0:{port}\n"
        assert "Some/Model: 100 %\n" in lines
        assert gpu.holders() == {"a": 16 * GIB}
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(LIMIT_S) == 0
    assert gpu.holders() == {}
