"""The GPU's lines of the health table, from what the arbiter says."""

import json
import time
from typing import Any

import pytest

from synapse_cli import gpu
from synapse_cli.cluster import Answer
from synapse_cli.gpu import downloading, engine_row, gpu_rows, gpu_state
from synapse_cli.table import Row

GIB = 1024**3
GPU = {"total_bytes": 32 * GIB, "used_bytes": None, "released_until_s": None, "pinned": None}


def model(name: str = "chat", **facts: Any) -> dict[str, Any]:
    """A model as the arbiter's status shows it."""
    return {"name": name, "state": "asleep", "reason": "", "running": 0, "waiting": 0, **facts}


@pytest.mark.parametrize(
    ("facts", "state", "healthy"),
    [
        ({"state": "awake"}, "awake", True),
        ({"state": "awake", "running": 2, "waiting": 1}, "awake, 2 running, 1 waiting", True),
        ({"state": "asleep", "reason": "switch"}, "asleep", True),
        ({"state": "moving"}, "falls asleep or wakes up", True),
        ({"state": "booting"}, "starting", True),
        ({"state": "waiting", "reason": "anything"}, "waits for its turn to start", True),
        ({"state": "away", "reason": "nobody answers"}, "away (nobody answers)", False),
        ({"state": "quarantined", "reason": "no_canary"}, "quarantined (no_canary)", False),
        ({"state": "stuck"}, "stuck: it holds memory and could not be replaced", False),
    ],
    ids=["awake", "busy", "asleep", "moving", "starting", "waits", "away", "quarantined", "stuck"],
)
def test_a_model_is_told_in_words(facts: dict[str, Any], state: str, healthy: bool) -> None:
    row = engine_row(model(**facts))
    assert (row.service, row.model, row.state, row.healthy) == ("vllm", "chat", state, healthy)


def test_the_gpus_memory_and_orders_are_told() -> None:
    assert gpu_state(GPU) == "32.0 GiB, use unknown"
    lent_s = time.mktime((*time.localtime()[:3], 23, 59, 0, 0, 0, -1))
    facts = {"used_bytes": 21.5 * GIB, "released_until_s": lent_s, "pinned": "chat"}
    told = "21.5 of 32.0 GiB in use, released until 23:59, chat is pinned"
    assert gpu_state(GPU | facts) == told


def test_a_release_beyond_today_names_the_day() -> None:
    moment = (2030, 1, 2, 3, 4, 0, 0, 0, -1)
    assert gpu.clock(time.mktime(moment)) == "2030-01-02 03:04"


def test_every_model_the_gateway_serves_has_a_row() -> None:
    body = json.dumps({"gpu": GPU, "models": [model("chat"), model("code")]}).encode()
    rows = list(gpu_rows(["chat", "new"], Answer(200, body, 0.003)))
    assert [(row.service, row.model, row.healthy) for row in rows] == [
        ("gpu", "", True),
        ("vllm", "chat", True),
        ("vllm", "new", False),
    ]


def test_an_arbiter_that_is_away_makes_its_models_sick() -> None:
    (row,) = gpu_rows(["chat"], Answer(503, b"no endpoints", 0.01))
    assert (row.state, row.healthy) == ("unknown, the arbiter does not answer", False)


@pytest.mark.parametrize(
    ("line", "state", "healthy"),
    [
        ("boot lease: hf download a: 4.2 GiB so far, after 60 s", "4.2 GiB so far", True),
        ("boot lease: hf download a: begins, with 0.0 GiB there already", "begins", True),
        ("boot lease: hf a: 1.0 GiB so far, after 5 s\nFetching", "1.0 GiB so far", True),
        ("CUDA out of memory", "", False),
    ],
)  # fmt: skip
def test_an_engine_that_is_away_because_it_downloads_says_how_far(
    line: str, state: str, healthy: bool
) -> None:
    row = downloading(Row("vllm", "a", "away (connection refused)", False), lambda _: line)
    told = f"downloading, {state}" if healthy else "away (connection refused)"
    assert (row.state, row.healthy) == (told, healthy)


def test_an_engine_that_is_there_is_not_asked_for_its_log() -> None:
    row = Row("vllm", "a", "awake", True)
    assert downloading(row, lambda _: pytest.fail("asked")) == row
