"""Models and voices come by the real huggingface_hub, from a small hub that has every fault."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_hub import Hub

from .volume import LIMIT_S, MIB, MODEL, PIECE, VOICE, VOICE_FILES, Fetching


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with one good model and one good voice."""
    hub = Hub()
    hub.repositories = {"owner/good": dict(MODEL), "rhasspy/piper-voices": dict(VOICE_FILES)}
    yield hub
    hub.close()


@pytest.fixture
def fetching(hub: Hub, tmp_path: Path) -> Fetching:
    """The program before an empty volume."""
    return Fetching(hub, tmp_path)


def test_a_model_comes_whole_with_its_card_last_and_only_once(hub: Hub, fetching: Fetching) -> None:
    told = fetching.run("models", "owner/good")
    assert fetching.whole()
    assert fetching.listed() == {"owner/good"}
    assert "owner/good: 24 MiB in" in told
    got = [request.split()[1] for request in hub.requests if request.startswith("GET")]
    assert [path.rpartition("/")[2] for path in got][-2:] == ["model.bin", "README.md"]
    hub.requests.clear()
    assert fetching.run("models", "owner/good") == ""
    assert hub.requests == []
    assert fetching.reasons() == {}


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: Hub, fetching: Fetching) -> None:
    hub.cuts["model.bin"] = [15 * MIB, 12 * MIB]
    told = fetching.run("models", "owner/good")
    assert fetching.whole()
    assert [request.split()[2:] for request in hub.asked("model.bin")] == [
        [], [f"bytes={PIECE}-"], [f"bytes={2 * PIECE}-"],
    ]  # fmt: skip
    assert "going on from 10 of 24 MiB" in told


def test_what_broke_off_for_good_is_not_listed_and_the_next_run_completes_it(
    hub: Hub, fetching: Fetching
) -> None:
    hub.cuts["model.bin"] = [15 * MIB, 0]
    fetching.run("models", "owner/good")
    (told,) = fetching.reasons().values()
    assert told.startswith("its download failed: IncompleteRead(0 bytes read, ")
    assert fetching.listed() == set()
    fetching.run("models", "owner/good")
    assert fetching.whole()
    assert hub.asked("model.bin")[-1].endswith(f" bytes={PIECE}-")


def test_what_is_stopped_ends_at_once_and_is_taken_up_again(hub: Hub, fetching: Fetching) -> None:
    hub.gate = threading.Event()
    with fetching.start("models", "owner/good") as process:
        assert hub.halfway.wait(LIMIT_S)
        process.terminate()
        assert process.wait(LIMIT_S) == 143
    assert fetching.listed() == set()
    hub.gate.set()
    fetching.run("models", "owner/good")
    assert fetching.whole()


def test_a_hub_that_hangs_is_given_up_at_the_limit(hub: Hub, fetching: Fetching) -> None:
    hub.gate = threading.Event()
    fetching.run("models", "owner/good", "owner/next", limit_s=2)
    assert "within the 2 s" in fetching.reasons()["owner/good"]
    assert "within the 2 s" in fetching.reasons()["owner/next"]


def test_what_cannot_be_had_is_named_and_leaves_the_others(hub: Hub, fetching: Fetching) -> None:
    without = {file: text for file, text in MODEL.items() if file != "tokenizer.json"}
    hub.repositories["owner/other-kind"] = without
    hub.faults = {
        "owner/closed": (403, "GatedRepo"),
        "owner/gone": (404, "RepoNotFound"),
        "owner/broken": (500, ""),
    }
    names = ["owner/private", "owner/other-kind", *hub.faults, "owner/good"]
    fetching.run("models", *names)
    reasons = fetching.reasons()
    assert set(reasons) == set(names) - {"owner/good"}
    assert reasons["owner/private"] == "Hugging Face has no such repository, or a private one"
    assert reasons["owner/gone"] == reasons["owner/private"]
    assert reasons["owner/closed"] == "its repository is open only to those who log in"
    assert reasons["owner/other-kind"].endswith("owner/other-kind has no tokenizer.json")
    assert "500" in reasons["owner/broken"]
    assert fetching.listed() == {"owner/good"}


def test_a_model_that_is_there_in_part_is_completed_and_not_listed_before(
    hub: Hub, fetching: Fetching
) -> None:
    fetching.run("models", "owner/good")
    (weights,) = fetching.folder.glob("models--owner--good/snapshots/*/model.bin")
    weights.resolve().unlink()
    weights.unlink()
    assert fetching.listed() == {"owner/good"}, "as an interrupted download of Speaches leaves it"
    hub.cuts["model.bin"] = [0]
    fetching.run("models", "owner/good")
    assert fetching.listed() == set()
    fetching.run("models", "owner/good")
    assert fetching.whole()
    assert fetching.listed() == {"owner/good"}


def card(text: str) -> dict[str, bytes]:
    return MODEL | {"README.md": f"---\n{text}\n---\n".encode()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("library_name: transformers", "its model card names transformers"),
        ("tags: [ctranslate2]", "does not say that it is for automatic-speech-recognition"),
        ("library_name: [ctranslate2", "its model card cannot be read: "),
        ("language: {en: yes}", "its language is neither a name nor a list"),
    ],
    ids=["library", "task", "yaml", "language"],
)
def test_what_speaches_would_not_list_is_refused_before_it_is_fetched(
    hub: Hub, fetching: Fetching, text: str, reason: str
) -> None:
    hub.repositories["owner/other"] = card(text)
    fetching.run("models", "owner/other", "owner/good")
    assert reason in fetching.reasons()["owner/other"]
    assert len(hub.asked("model.bin")) == 1, "only the good one"
    assert fetching.listed() == {"owner/good"}


def test_a_card_that_cannot_be_read_is_set_aside_and_fetched_anew(
    hub: Hub, fetching: Fetching
) -> None:
    fetching.run("models", "owner/good")
    (found,) = fetching.folder.glob("models--*/snapshots/*/README.md")
    found.resolve().write_text("---\ntags: [\n---\n")
    foreign = fetching.folder / "models--some--body/snapshots/1/README.md"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("---\nlanguage: {en: yes}\n---\n")
    told = fetching.run("models", "--offline", "owner/good")
    assert "some/body: its model card cannot be read" in told
    assert not foreign.exists()
    assert "owner/good: its model card cannot be read" in told
    assert fetching.listed() == set(), "or Speaches would list nothing at all"
    assert "tags: [" in found.with_name("README.md.unreadable").read_text()
    assert set(fetching.reasons()) == {"owner/good"}
    fetching.run("models", "owner/good")
    assert fetching.whole()
    assert fetching.listed() == {"owner/good"}
    assert len(hub.asked("model.bin")) == 1, "its weights were there"


def test_a_model_that_is_there_but_never_listed_is_named(hub: Hub, fetching: Fetching) -> None:
    fetching.run("models", "owner/good")
    (found,) = fetching.folder.glob("models--*/snapshots/*/README.md")
    found.resolve().write_text("---\nlibrary_name: nemo\n---\n")
    fetching.run("models", "--offline", "owner/good")
    assert "names nemo" in fetching.reasons()["owner/good"]


def test_without_room_nothing_is_begun(hub: Hub, fetching: Fetching) -> None:
    fetching.run("models", "owner/good", reserve_gib=10**6)
    assert "only" in fetching.reasons()["owner/good"]
    assert hub.asked("model.bin") == []


def test_offline_nothing_is_asked_and_what_is_missing_is_named(
    hub: Hub, fetching: Fetching
) -> None:
    fetching.run("models", "owner/good")
    hub.requests.clear()
    fetching.run("models", "--offline", "owner/good", "owner/other")
    assert set(fetching.reasons()) == {"owner/other"}
    assert hub.requests == []


def test_a_hub_that_is_not_there_is_named(hub: Hub, fetching: Fetching) -> None:
    hub.close()
    fetching.run("models", "owner/good")
    told = fetching.reasons()["owner/good"]
    assert told == "its download failed: [Errno 111] Connection refused"


def test_a_voice_comes_whole_or_not_at_all(hub: Hub, fetching: Fetching) -> None:
    file = next(iter(VOICE_FILES))
    hub.cuts[file] = [3000]
    fetching.run("voices", VOICE, "en_US-nobody-low", "humming")
    reasons = fetching.reasons()
    assert set(reasons) == {VOICE, "en_US-nobody-low", "humming"}
    assert "no en/en_US/nobody/low/en_US-nobody-low.onnx.json" in reasons["en_US-nobody-low"]
    assert {found.name for found in fetching.folder.iterdir()} == {f"{VOICE}.partial"}
    fetching.run("voices", VOICE)
    assert {found.name for found in fetching.folder.iterdir()} == {
        f"{VOICE}.onnx", f"{VOICE}.onnx.json",
    }  # fmt: skip
    assert (fetching.folder / f"{VOICE}.onnx").read_bytes() == VOICE_FILES[file]
    assert json.loads((fetching.folder / f"{VOICE}.onnx.json").read_text()) == {}
    hub.requests.clear()
    fetching.run("voices", VOICE)
    assert hub.requests == []
