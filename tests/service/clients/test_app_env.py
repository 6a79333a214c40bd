"""From what `make app-env` prints to the first answer, with nothing edited in between."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import client_workers
from fake_cluster import cluster
from gateway_process import Gateway
from synapse_cli.app_env import text

from .conftest import WORDS
from .test_coding_agents import run

APP = "menu"
LIMIT_S = 120
ASSISTANT = "assistant"
Printed = Callable[[str], str]
"""Prints the settings of a client; of none: an env file."""


@pytest.fixture
def printed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Print as the command does, with the gateway's own configuration and keys."""
    monkeypatch.setenv("SYNAPSE_URL", gateway.url)
    config = yaml.safe_load((gateway.folder / "gateway.yaml").read_text())
    keys = {file.name: file.read_text().strip() for file in (gateway.folder / "keys").iterdir()}
    return lambda client: text(cluster(config, keys), APP, client, lambda _: None)


def out_of(command: list[str], folder: Path, **told: str) -> str:
    """Run a program that knows nothing of this machine but its path; return what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **told}
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def with_file(file: Path, command: list[str]) -> list[str]:
    """Return the command as a shell runs it that has read an env file."""
    return ["sh", "-c", f'set -a; . {file}; set +a; exec "$@"', "sh", *command]


def first_answers(printed: Printed, folder: Path, command: list[str], **told: str) -> list[str]:
    """Run a program with the env file; return what it was answered."""
    file = folder / "app.env"
    file.write_text(printed(""))
    answers = json.loads(out_of(with_file(file, command), folder, **told))
    assert {model for model, _ in answers} == {ASSISTANT}
    return [said for _, said in answers]


def test_three_packages_of_python_get_an_answer(printed: Printed, tmp_path: Path) -> None:
    command = [str(client_workers.interpreter()), "-m", "client_programs.first_answer"]
    said = first_answers(printed, tmp_path, command, **client_workers.SUPPORT)
    assert [len(one.split()) for one in said] == [WORDS] * 3


def test_two_packages_of_javascript_get_an_answer(printed: Printed, tmp_path: Path) -> None:
    said = first_answers(printed, tmp_path, client_workers.script(tmp_path, "first-answer"))
    assert [len(one.split()) for one in said] == [WORDS] * 2


def test_the_program_for_langchain_gets_an_answer(printed: Printed, tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(printed("langchain"))
    command = [str(client_workers.interpreter()), "asking.py"]
    assert len(out_of(command, tmp_path, **client_workers.tables()).split()) == WORDS
    code = "import asking; print(len(asking.embeddings.embed_query('hi')))"
    embed = [command[0], "-c", code]
    assert int(out_of(embed, tmp_path, **client_workers.tables())) > 0


def test_the_program_for_llamaindex_gets_an_answer(printed: Printed, tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(printed("llamaindex"))
    command = [str(client_workers.llamaindex()), "asking.py"]
    assert len(out_of(command, tmp_path, **client_workers.tables()).split()) == WORDS
    code = "import asking; print(len(asking.Settings.embed_model.get_query_embedding('hi')))"
    embed = [command[0], "-c", code]
    assert int(out_of(embed, tmp_path, **client_workers.tables())) > 0


def test_codex_gets_an_answer_with_its_file_alone(printed: Printed, tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(printed("codex"))
    ran = run("codex", ["exec", "--json", "--skip-git-repo-check", "Say hello."], tmp_path)
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert events, ran.stderr
    assert events[-1]["type"] == "turn.completed", events
    said = [event["item"]["text"] for event in events if "text" in event.get("item", {})]
    assert len(said[-1].split()) == WORDS


def test_claude_code_gets_an_answer_with_its_file_alone(printed: Printed, tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").write_text(printed("claude-code"))
    ran = run("claude", ["-p", "Say hello.", "--output-format", "json"], tmp_path)
    told = json.loads(ran.stdout.splitlines()[-1])
    assert (told["subtype"], told["is_error"]) == ("success", False), told
    assert len(told["result"].split()) == WORDS
