"""The health table's rows, from what the services said."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from rich.console import Console

from synapse_cli.cluster import Answer
from synapse_cli.fetching import AWAY
from synapse_cli.health import ask_for_real, listed_rows, ollama_rows, workload_rows
from synapse_cli.table import Row, render
from synapse_cli.version import LABEL, shipped_version, version_row
from synapse_ollama.board import Standing
from synapse_ollama.plan import GIB


def answer(body: object, status: int = 200) -> Answer:
    """What a service said in 3 ms."""
    return Answer(status, json.dumps(body).encode(), 0.003)


def workload(
    name: str, ready: int | None, wanted: int, version: str | None = None
) -> SimpleNamespace:
    """A Deployment as the API shows it."""
    return SimpleNamespace(
        metadata=SimpleNamespace(name=name, labels={LABEL: version} if version else None),
        spec=SimpleNamespace(replicas=wanted),
        status=SimpleNamespace(ready_replicas=ready),
    )


@pytest.mark.parametrize(
    ("running", "state"),
    [
        ({}, "nothing runs"),
        ({"gateway": "0.2.0", "ollama": "0.2.0"}, "0.2.0"),
        (
            {"ollama": "0.2.0", "piper": "0.10.0", "gateway": None, "arbiter": "0.2.0"},
            "mixed: unknown (gateway), 0.2.0 (ollama, arbiter), 0.10.0 (piper);"
            " make deploy brings all to 0.2.0",
        ),
        ({"ollama": "0.1.9"}, "0.1.9; this checkout is newer: make deploy brings 0.2.0"),
        ({"ollama": None}, "unknown; this checkout is newer: make deploy brings 0.2.0"),
        ({"ollama": "0.10.0"}, "0.10.0; this checkout is older: make deploy brings 0.2.0"),
    ],
    ids=["nothing", "one", "mixed", "newer-checkout", "from-before-versions", "older-checkout"],
)
def test_the_version_that_runs_is_told_beside_the_checkouts(
    running: dict[str, str | None], state: str
) -> None:
    row = version_row([workload(name, 1, 1, of) for name, of in running.items()], "0.2.0")
    assert (row.service, row.state, row.healthy) == ("synapse", state, True)


def test_the_checkouts_version_is_that_of_versions_yml(tmp_path: Path) -> None:
    (tmp_path / "group_vars/all").mkdir(parents=True)
    (tmp_path / "group_vars/all/versions.yml").write_text("synapse_version: 0.7.1\n")
    assert shipped_version(tmp_path) == "0.7.1"
    assert shipped_version().count(".") == 2


@pytest.mark.parametrize(
    ("ready", "probe", "state", "healthy"),
    [
        (1, None, "1/1 ready", True),
        (1, answer({}), "1/1 ready", True),
        (None, None, "0/1 ready", False),
        (1, answer({}, 503), "1/1 ready, answers 503", False),
        (1, Answer(0, b"", 0.1), "1/1 ready, answers nothing", False),
    ],
    ids=["ready", "ready-and-answers", "no-pod", "sick", "silent"],
)
def test_workload_is_healthy_when_ready_and_answering(
    ready: int | None, probe: Answer | None, state: str, healthy: bool
) -> None:
    rows = list(workload_rows([workload("ollama", ready, 1)], {"ollama": probe} if probe else {}))
    assert [(row.state, row.healthy) for row in rows] == [(state, healthy)]


def standing(name: str, state: str, **given: Any) -> dict[str, Any]:
    """A model as the fetcher shows it, of 4 GiB."""
    return vars(Standing(name, f"library/{name}", state, total_bytes=4 * GIB, **given))


TAGS = answer({"models": [{"name": "a:latest"}, {"name": "b:latest"}]})
LOADED = answer({"models": [{"name": "a:latest"}]})


def test_ollama_models_are_loaded_on_disk_or_on_their_way() -> None:
    models = [
        standing("c", "pulling", done_bytes=GIB, rate_bytes_s=12 * 2**20), standing("d", "waits"),
        standing("e", "waits"), standing("f", "failed", reason="cannot pull f: no such host"),
        standing("a", "there"), standing("b", "there"),
    ]  # fmt: skip
    rows = list(ollama_rows("abcdef", TAGS, LOADED, answer({"models": models})))
    assert [(row.model, row.state, row.healthy) for row in rows] == [
        ("a", "loaded", True),
        ("b", "on disk", True),
        ("c", "downloading, 25 %, 1.0 of 4.0 GiB, 12 MiB/s", True),
        ("d", "to be fetched next, 4.0 GiB", True),
        ("e", "waits for its download, 4.0 GiB", True),
        ("f", "missing: cannot pull f: no such host", False),
    ]


def test_a_model_that_is_there_says_when_its_change_failed() -> None:
    models = [standing("a", "failed", reason="cannot pull a: no such host")]
    (row,) = ollama_rows("a", TAGS, LOADED, answer({"models": models}))
    assert row.state == "loaded, not changed: cannot pull a: no such host"
    assert not row.healthy


def test_without_the_fetcher_what_is_missing_is_told_as_such() -> None:
    away = Answer(503, b"no endpoints", 0.01)
    rows = list(ollama_rows("ax", TAGS, LOADED, away))
    assert [(row.state, row.healthy) for row in rows] == [("loaded", True), (AWAY, False)]


def test_ollama_that_is_down_makes_every_model_missing() -> None:
    down = Answer(503, b"no endpoints", 0.01)
    assert [row.healthy for row in ollama_rows(["a"], down, down, down)] == [False]
    shown = answer({"models": [standing("a", "there")]})
    assert [row.healthy for row in ollama_rows(["a"], down, down, shown)] == [False]


@pytest.mark.parametrize(
    ("kind", "path"),
    [("chat", "/v1/chat/completions"), ("embedding", "/v1/embeddings"), ("rerank", "/v1/rerank")],
)
def test_deep_look_sends_one_real_request_of_the_models_kind(kind: str, path: str) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        assert request.url.path == path
        return httpx.Response(200, json={}, headers={"x-synapse-model": "other"})

    client = httpx.Client(transport=httpx.MockTransport(serve), base_url="http://test")
    assert ask_for_real(client, "a", kind)[:2] == ("served by other", True)


@pytest.mark.parametrize(
    ("listed", "state"),
    [
        (answer({"data": [{"id": "owner/ears"}]}), "on disk"),
        (answer({"data": [{"id": "owner/others"}]}), "missing"),
        (answer({}, 503), "missing"),
    ],
    ids=["there", "not-there", "down"],
)
def test_models_that_hear_are_there_or_missing(listed: Answer, state: str) -> None:
    (row,) = listed_rows("speaches", [{"name": "ears", "served_name": "owner/ears"}], listed)
    assert (row.model, row.state, row.healthy) == ("ears", state, state == "on disk")


@pytest.mark.parametrize(
    ("kind", "path"),
    [("speech", "/v1/audio/speech"), ("transcription", "/v1/audio/transcriptions")],
)
def test_deep_look_says_or_hears_something_small(kind: str, path: str) -> None:
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"x-synapse-model": "voice"})

    client = httpx.Client(base_url="http://gateway", transport=httpx.MockTransport(serve))
    assert ask_for_real(client, "voice", kind)[:2] == ("answers", True)
    (request,) = asked
    assert request.url.path == path
    assert b"voice" in request.read()


def test_table_ends_with_one_when_anything_is_sick() -> None:
    console = Console(file=io.StringIO(), width=120)
    rows = [
        Row("gateway", "", "1/1 ready", True, 0.004),
        Row("ollama", "a", "missing", False, 0.003),
    ]
    assert render(rows, console) == 1
    assert isinstance(console.file, io.StringIO)
    assert "ollama a: missing." in console.file.getvalue()
    assert render(rows[:1], console) == 0
