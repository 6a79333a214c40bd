"""What a download says while it runs, and what becomes of those that come after it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from synapse_fetching import download, fetching
from synapse_fetching.download import MIB
from synapse_fetching.fetching import Fetcher
from synapse_fetching.wanted import Wanted

LIMIT_S = 10


class Item(Wanted):
    """Arrives when the test lets it, and fails where the test wants it to."""

    def __init__(self, name: str, store: Path, *, fails: bool = False) -> None:
        self.name = self.repository = name
        self.store = store
        self.needed = (("weights",),)
        self.gate = threading.Event()
        self.done = False
        self.fails = fails

    def has(self, file: str) -> bool:
        return self.done

    def is_there(self) -> bool:
        return self.done

    def fetch(self, file: str) -> None:
        assert self.gate.wait(LIMIT_S)
        if self.fails:
            raise OSError("the connection broke")
        self.done = True


@pytest.fixture(autouse=True)
def _hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_sizes", lambda item: {"weights": 1530 * MIB})
    monkeypatch.setattr(fetching, "PROGRESS_S", 0.01)


def test_progress_is_told_until_it_is_there(tmp_path: Path) -> None:
    item, told = Item("owner/model", tmp_path / "store"), list[str]()
    item.store.mkdir()
    with (item.store / "part.incomplete").open("wb") as part:
        part.truncate(412 * MIB)

    def say(line: str) -> None:
        told.append(line)
        if line.startswith("owner/model: 412 of 1,530 MiB, "):
            item.gate.set()

    assert Fetcher(LIMIT_S, 0, say).fetch([item]) == {}
    assert told[-1].startswith("owner/model: 1,530 MiB in ")


def test_one_that_fails_leaves_the_others(tmp_path: Path) -> None:
    items = [Item(name, tmp_path / name, fails=name == "b") for name in "abc"]
    for item in items:
        item.gate.set()
    assert Fetcher(LIMIT_S, 0, lambda _: None).fetch(items) == {
        "b": "its download failed: the connection broke"
    }
    assert [item.done for item in items] == [True, False, True]


def test_after_the_limit_nothing_is_begun_and_what_is_there_is_no_failure(tmp_path: Path) -> None:
    hanging, late, there = (Item(name, tmp_path / name) for name in "abc")
    there.done = True
    told: list[str] = []
    reasons = Fetcher(0.05, 0, told.append).fetch([hanging, late, there])
    assert "0 of 1,530 MiB" in reasons["a"]
    assert reasons.keys() == {"a", "b"}
    assert not [line for line in told if line.startswith("b:")]
    hanging.gate.set()


def test_a_hub_that_never_answers_is_given_up_long_before_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def ask(item: Wanted) -> dict[str, int]:
        assert answers.wait(LIMIT_S)
        return {}

    monkeypatch.setattr(download, "_sizes", ask)
    monkeypatch.setattr(fetching, "ASK_LIMIT_S", 0.05)
    reasons = Fetcher(LIMIT_S, 0, lambda _: None).fetch([Item("a", tmp_path / "a")])
    answers.set()
    assert reasons["a"].startswith("Hugging Face did not answer within")
