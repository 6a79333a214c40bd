"""The demo itself, and the operator's commands that it points to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import INVENTORY

REPOSITORY = Path(__file__).parents[2]
LIMIT_S = 300


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run one of the project's programs as make does."""
    environment = os.environ | {"ANSIBLE_INVENTORY": INVENTORY}
    return subprocess.run(
        [sys.executable, *argv],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.timeout(400)
def test_demo_shows_what_it_promises() -> None:
    shown = run("-m", "demo")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for promise in (
        "curl", "log  {", "cos(cat, kitten)", "404", "served by tiny-chat", "openai",
        "served by gpu-chat", "switches: ", "released", "answer_interrupted", "answers again after",
        "said.wav", "heard", "Paris", "answer.wav", "/v1/responses", "x-api-key: $KEY",
        "/api/chat", "access-control-allow-origin: https://chat.example.org",
        "cannot see pictures",
    ):  # fmt: skip
        assert promise in shown.stdout


def test_the_tour_shows_a_hung_engine_beside_one_that_is_well() -> None:
    shown = run("-m", "demo", "hung-engine")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "requests of jarvis-cortex for assistant were answered" in shown.stdout
    assert "Ollama goes on" in shown.stdout


def test_health_table_is_green_and_loads_nothing() -> None:
    shown = run("-m", "synapse_cli", "health")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for name in ("gateway", "ollama", "smollm2", "minilm", "not asked", "listener", "speaker"):
        assert name in shown.stdout


def test_deep_health_asks_every_model() -> None:
    shown = run("-m", "synapse_cli", "health", "--deep")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "served by tiny-chat" in shown.stdout


def test_doctor_finds_everything() -> None:
    shown = run("-m", "synapse_cli", "doctor")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "3 for 3 models" in shown.stdout
