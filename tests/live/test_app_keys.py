"""The operator sees when a key was used last."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from .conftest import eventually
from .test_demo import run

APP = "jarvis-cortex"
LAST_USED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def test_a_request_is_the_last_use_of_its_key(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # nothing is wrapped
    asked = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    http.get("/v1/models").raise_for_status()

    def is_listed() -> bool:
        shown = run("-m", "synapse_cli", "app-keys")
        assert shown.returncode == 0, shown.stdout + shown.stderr
        (line,) = (line for line in shown.stdout.splitlines() if line.startswith(f"{APP} "))
        found = LAST_USED.search(line)
        return found is not None and found[0] >= asked

    eventually(is_listed, 20, f"the last use of {APP} since {asked}")
