"""Claude Code and Codex themselves, each from its npm package, as a person would start them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import client_workers
from gateway_process import Gateway
from openai_stub import OpenAIStub

from .conftest import WORDS, break_off

KEY = "sk-synapse-free"
LIMIT_S = 60
CODEX = """
model = "{model}"
model_provider = "synapse"
[model_providers.synapse]
name = "Synapse"
base_url = "{url}/v1"
env_key = "SYNAPSE_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """Install them before the first test's time begins."""
    client_workers.coding_agent("claude")


def run(name: str, words: list[str], home: Path, **told: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an empty home, with nothing of this machine's environment but its path."""
    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **told}
    return subprocess.run(
        [str(client_workers.coding_agent(name)), *words],
        cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=LIMIT_S,
    )  # fmt: skip


def claude(gateway: Gateway, home: Path, model: str) -> Any:
    """Ask Claude Code one thing; return what it tells."""
    told = {
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "0",
    }
    ran = run("claude", ["-p", "Say hello.", "--output-format", "json"], home, **told)
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def codex(gateway: Gateway, home: Path, model: str) -> list[Any]:
    """Ask Codex one thing; return the events that it tells."""
    (home / ".codex").mkdir(parents=True)
    (home / ".codex/config.toml").write_text(CODEX.format(url=gateway.url, model=model))
    words = ["exec", "--json", "--skip-git-repo-check", "Say hello."]
    ran = run("codex", words, home, SYNAPSE_KEY=KEY)
    assert ran.stdout, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_claude_code_gets_an_answer(gateway: Gateway, tmp_path: Path) -> None:
    told = claude(gateway, tmp_path, "assistant")
    assert (told["subtype"], told["is_error"]) == ("success", False), told
    assert len(told["result"].split()) == WORDS
    assert told["stop_reason"] == "end_turn"


def test_claude_code_tells_a_person_what_is_wrong(gateway: Gateway, tmp_path: Path) -> None:
    told = claude(gateway, tmp_path, "nothing")
    assert told["is_error"] is True
    assert "nothing" in told["result"]


def test_codex_gets_an_answer(gateway: Gateway, tmp_path: Path) -> None:
    events = codex(gateway, tmp_path, "assistant")
    assert events[-1]["type"] == "turn.completed", events
    said = [event["item"]["text"] for event in events if "text" in event.get("item", {})]
    assert len(said[-1].split()) == WORDS
    assert events[-1]["usage"]["output_tokens"] == WORDS


def test_codex_notices_a_broken_stream(gateway: Gateway, cpu: OpenAIStub, tmp_path: Path) -> None:
    break_off(cpu, 6)
    events = codex(gateway, tmp_path, "gpu-bare")
    assert events[-1]["type"] == "turn.failed", events
    assert "interrupted" in str(events[-1])
