"""`make app-env`, from the command to an answer."""

import subprocess
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 120


def test_what_it_prints_leads_to_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    told = subprocess.run(
        ["make", "app-env", "APP=jarvis-cortex"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    ).stdout
    for line in told.splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    client = openai.OpenAI(max_retries=0, timeout=60)
    model = next(one.id for one in client.models.list() if one.id == "chat")
    asked = [{"role": "user", "content": "Say hello."}]
    answer = client.chat.completions.create(model=model, max_tokens=8, messages=asked)  # type: ignore[arg-type]
    assert answer.choices[0].message.content


def test_a_client_that_nobody_knows_is_told_in_a_sentence() -> None:
    ran = subprocess.run(
        ["make", "app-env", "APP=jarvis-cortex", "FOR=codexx"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert ran.returncode != 0
    assert not ran.stdout
    assert 'No settings for "codexx"; did you mean "codex"?' in ran.stderr
