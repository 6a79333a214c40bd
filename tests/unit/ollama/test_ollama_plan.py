"""What has to happen, as tables: the plan is a function of the catalogue and of what is there."""

import json
from typing import Any

import pytest

from synapse_ollama.plan import (
    GIB,
    FileStat,
    Install,
    Remove,
    State,
    Tag,
    extras,
    full_name,
    plan,
)


def entry(name: str = "small", source: str = "qwen3:4b", **given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"context": None, "engine_args": {}, "disk_gib": None}
    return {"name": name, "source": source, **empty, **given}


def made(wanted: dict[str, Any], state: State = State()) -> State:  # noqa: B008  frozen
    """The state after a deployment of one entry."""
    (action,) = plan([wanted], state, prune=False)
    assert isinstance(action, Install)
    tags = {full_name(wanted["source"]): Tag("x", 1), full_name(wanted["name"]): Tag("sha-1", 1)}
    record = {wanted["name"]: {"fingerprint": action.fingerprint, "digest": "sha-1"}}
    return State(tags, record, state.files)


def whys(wanted: dict[str, Any], state: State) -> list[str]:
    return [str(action) for action in plan([wanted], state, prune=False)]


def test_missing_model_is_pulled_with_the_space_it_needs() -> None:
    (action,) = plan([entry(disk_gib=3)], State(), prune=False)
    assert isinstance(action, Install)
    assert (action.pull, action.need_bytes) == (True, 3 * GIB)
    assert str(action) == "pull and create small from qwen3:4b (is missing)"


def test_model_as_it_was_made_needs_nothing() -> None:
    wanted = entry(context=4096, engine_args={"temperature": 0.2})
    assert plan([wanted], made(wanted), prune=True) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"source": "qwen3:8b"}, "pull and create small from qwen3:8b (source changed)"),
        ({"context": 2048}, "create small from qwen3:4b (parameters changed)"),
        ({"engine_args": {"system": "Hi"}}, "create small from qwen3:4b (system changed)"),
        (
            {"source": "qwen3:8b", "context": 2048},
            "pull and create small from qwen3:8b (source and parameters changed)",
        ),
    ],
    ids=["source", "context", "system", "source-and-context"],
)
def test_changed_entry_is_made_again(changed: dict[str, Any], expected: str) -> None:
    assert whys({**entry(), **changed}, made(entry())) == [expected]


def test_source_that_is_there_is_not_pulled() -> None:
    state = State(tags={"qwen3:4b": Tag("x", 1)})
    assert whys(entry(), state) == ["create small from qwen3:4b (is missing)"]


def test_model_named_like_its_source_is_always_pulled_fresh() -> None:
    wanted = entry("nomic", "nomic")
    state = made(wanted)
    assert plan([wanted], state, prune=True) == []
    assert whys({**wanted, "context": 1}, state) == [
        "pull and create nomic from nomic (parameters changed)"
    ]


def test_file_needs_its_size_and_follows_its_time() -> None:
    wanted = entry(source="file:own.gguf")
    state = State(files={"own.gguf": FileStat(7, 100)})
    (action,) = plan([wanted], state, prune=False)
    assert isinstance(action, Install)
    assert (action.file, action.pull, action.need_bytes) == ("own.gguf", False, 7)
    later = made(wanted, state)
    touched = State(later.tags, later.record, {"own.gguf": FileStat(7, 101)})
    assert whys(wanted, later) == []
    assert whys(wanted, touched) == ["create small from file:own.gguf (file changed)"]


def test_only_asked_for_removals_are_planned() -> None:
    wanted = entry()
    state = made(wanted)
    more = State({**state.tags, "old:1b": Tag("y", GIB)}, state.record)
    assert plan([wanted], more, prune=False) == []
    assert plan([wanted], more, prune=True) == [Remove("old:1b", GIB)]
    assert extras([wanted], more) == {"old:1b": GIB}
    assert str(Remove("old:1b", GIB)) == "remove old:1b (1.0 GiB), not in the catalogue"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("small", "small:latest"),
        ("qwen3:4b", "qwen3:4b"),
        ("host:5000/library/x", "host:5000/library/x:latest"),
        ("host:5000/library/x:1", "host:5000/library/x:1"),
    ],
)
def test_full_name_is_what_ollama_lists(name: str, expected: str) -> None:
    assert full_name(name) == expected


def test_what_is_shown_of_a_state_reads_back() -> None:
    before = made(entry(), State(files={"own.gguf": FileStat(7, 100)}, free_bytes=1))
    assert State.read(json.loads(json.dumps(before.shown()))) == before
