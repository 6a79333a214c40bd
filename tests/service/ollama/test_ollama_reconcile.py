"""The reconciler against a real Ollama that pulls from a simulated registry."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ollama_registry import Registry
from ollama_registry.registry import gguf
from synapse_ollama.board import Board
from synapse_ollama.ollama import RECORD, Ollama
from synapse_ollama.plan import GIB, plan
from synapse_ollama.reconcile import Limits, Outcome, Reconciler

Entry = dict[str, Any]
MakeEntry = Callable[..., Entry]


class Deployment:
    """Runs like the fetcher does: read the state, plan, carry out; keeps what was said."""

    def __init__(self, ollama: Ollama, registry: Registry, **limits: Any) -> None:
        self.ollama = ollama
        self.said: list[str] = []
        self.board = Board()
        self.limits = Limits(insecure_registries=(registry.name,), **limits)

    def run(self, *entries: Entry, prune: bool = False) -> Outcome:
        state = self.ollama.state()
        actions = plan(entries, state, prune=prune)
        self.board.looked(entries, actions, state)
        record, say = dict(state.record), self.said.append
        return Reconciler(self.ollama, record, self.limits, self.board, say).run(actions)

    def served(self) -> set[str]:
        return {tag.removesuffix(":latest") for tag in self.ollama.tags() if "/" not in tag}


@pytest.fixture
def deployment(ollama: Ollama, registry: Registry) -> Deployment:
    return Deployment(ollama, registry)


def shown(url: str, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(f"{url}/api/show", json={"model": name}).json()
    return answer


def test_missing_models_are_pulled_and_served_under_their_names(
    deployment: Deployment, registry: Registry, entry: MakeEntry, url: str
) -> None:
    wanted = entry("small", registry.source("ok"), context=512, engine_args={"stop": ["a", "b"]})
    assert deployment.run(wanted).failed == []
    assert "small" in deployment.served()
    parameters = shown(url, "small")["parameters"]
    assert "num_ctx" in parameters
    assert "512" in parameters
    assert parameters.count("stop") == 2


def test_second_run_has_nothing_to_do(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    wanted = entry("small", registry.source("ok"), context=512)
    deployment.run(wanted)
    assert plan([wanted], deployment.ollama.state(), prune=True) == []


def test_changed_source_is_pulled_again(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    deployment.run(entry("small", registry.source("ok", "1")))
    before = deployment.ollama.tags()["small:latest"].digest
    outcome = deployment.run(entry("small", registry.source("ok", "2")))
    assert outcome.done == [
        f"pull and create small from {registry.source('ok', '2')} (source changed)"
    ]
    assert deployment.ollama.tags()["small:latest"].digest != before


def test_changed_parameters_are_baked_in_without_a_pull(
    deployment: Deployment, registry: Registry, entry: MakeEntry, url: str
) -> None:
    source = registry.source("ok")
    deployment.run(entry("small", source, context=512))
    outcome = deployment.run(entry("small", source, context=1024))
    assert outcome.done == [f"create small from {source} (parameters changed)"]
    assert "1024" in shown(url, "small")["parameters"]


def test_one_failing_pull_names_model_and_reason_and_leaves_the_others(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    gone = registry.source("gone")
    outcome = deployment.run(entry("bad", gone), entry("good", registry.source("ok")))
    assert outcome.failed == [
        f"model bad: cannot pull {gone}: pull model manifest: file does not exist"
    ]
    assert deployment.served() == {"good"}


def test_model_that_does_not_fit_is_refused_before_it_is_pulled(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    (failure,) = deployment.run(entry("big", registry.source("ok"), disk_gib=10**6)).failed
    assert "model big" in failure
    assert "it needs 1000000.0 GiB" in failure
    assert deployment.ollama.tags() == {}


def test_size_announced_while_pulling_is_refused_too(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    (failure,) = deployment.run(entry("big", registry.source("huge"))).failed
    assert "it needs 1024.00 GiB" in failure
    assert deployment.run(entry("good", registry.source("ok"))).failed == []


@pytest.mark.parametrize("behaviour", ["stuck", "truncated"])
def test_download_that_does_not_move_is_given_up(
    ollama: Ollama, registry: Registry, entry: MakeEntry, behaviour: str
) -> None:
    deployment = Deployment(ollama, registry, stall_s=1.0)
    (failure,) = deployment.run(entry("stale", registry.source(behaviour))).failed
    assert failure.endswith("no progress for 1 s (ollama_pull_stall_s)")


def test_slow_download_that_moves_is_not_given_up(
    ollama: Ollama, registry: Registry, entry: MakeEntry
) -> None:
    deployment = Deployment(ollama, registry, stall_s=1.0)
    assert deployment.run(entry("slow", registry.source("slow"))).failed == []


def test_models_nobody_names_go_only_when_asked(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    keep = entry("keep", registry.source("ok", "1"))
    deployment.run(keep, entry("drop", registry.source("ok", "2")))
    assert deployment.run(keep).done == []
    assert deployment.served() == {"keep", "drop"}
    removed = deployment.run(keep, prune=True).done
    assert len(removed) == 2
    assert deployment.served() == {"keep"}
    assert set(deployment.ollama.tags()) == {"keep:latest", registry.source("ok", "1")}
    assert set(deployment.ollama.state().record) == {"keep"}
    assert any(said.endswith("GiB are free again") for said in deployment.said)


def test_file_on_the_node_becomes_a_model_and_follows_the_file(
    deployment: Deployment, entry: MakeEntry, tmp_path: Path, url: str
) -> None:
    file = tmp_path / "files/own.gguf"
    file.write_bytes(gguf("one"))
    wanted = entry("own", "file:own.gguf", context=256, engine_args={"system": "Be brief."})
    assert deployment.run(wanted).failed == []
    assert shown(url, "own")["system"] == "Be brief."
    assert deployment.run(wanted).done == []
    file.write_bytes(gguf("two"))
    os.utime(file, (1, 1))
    assert deployment.run(wanted).done == ["create own from file:own.gguf (file changed)"]


def test_missing_file_is_named(deployment: Deployment, entry: MakeEntry) -> None:
    (failure,) = deployment.run(entry("own", "file:own.gguf")).failed
    assert "there is no own.gguf in the folder synapse_model_files_path" in failure


def test_model_changed_by_hand_is_made_again(
    deployment: Deployment, registry: Registry, entry: MakeEntry
) -> None:
    wanted = entry("small", registry.source("ok"), context=512)
    deployment.run(wanted)
    deployment.ollama.create("small", registry.source("ok"), {"parameters": {"num_ctx": 1}})
    (done,) = deployment.run(wanted).done
    assert done.endswith("(was changed by hand)")


def test_broken_record_counts_as_none(
    deployment: Deployment, registry: Registry, entry: MakeEntry, tmp_path: Path
) -> None:
    wanted = entry("small", registry.source("ok"))
    deployment.run(wanted)
    (tmp_path / "data" / RECORD).write_text('{"small": {"finger')
    (done,) = deployment.run(wanted).done
    assert done.endswith("(was not made by a deployment)")
    assert deployment.run(wanted).done == []


def test_reserve_is_never_used(ollama: Ollama, registry: Registry, entry: MakeEntry) -> None:
    deployment = Deployment(ollama, registry, reserve_bytes=10**6 * GIB)
    (failure,) = deployment.run(entry("small", registry.source("ok"))).failed
    assert "0.0 GiB are free beside the reserve" in failure
