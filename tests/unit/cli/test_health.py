"""The health table's rows, from what the services said."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from rich.console import Console

from synapse_cli.cluster import Answer
from synapse_cli.health import ask_for_real, listed_rows, ollama_rows, workload_rows
from synapse_cli.table import Row, render
from synapse_cli.version import LABEL, shipped_version, version_row


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


def test_ollama_models_are_loaded_on_disk_or_missing() -> None:
    tags = answer({"models": [{"name": "a:latest"}, {"name": "b:latest"}]})
    loaded = answer({"models": [{"name": "a:latest"}]})
    rows = list(ollama_rows(["a", "b", "c"], tags, loaded))
    assert [(row.model, row.state, row.healthy) for row in rows] == [
        ("a", "loaded", True),
        ("b", "on disk", True),
        ("c", "missing", False),
    ]


def test_ollama_that_is_down_makes_every_model_missing() -> None:
    down = Answer(503, b"no endpoints", 0.01)
    assert [row.healthy for row in ollama_rows(["a"], down, down)] == [False]


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
