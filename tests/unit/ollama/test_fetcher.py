"""The fetcher with an Ollama that does what the test says: what it brings, and what it shows."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from synapse_deploy.downloads.fetcher import Status
from synapse_ollama.board import Board
from synapse_ollama.fetcher import LONGEST_PAUSE_S, UNANSWERED_PAUSE_S, Fetcher, Wanted
from synapse_ollama.ollama import Ollama, OllamaError
from synapse_ollama.plan import GIB, Remove, State, Tag, full_name
from synapse_ollama.reconcile import Limits


class FakeOllama:
    """Has what was pulled; fails where the test wants it."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.broken: set[str] = set()
        self.is_away = False
        self.pulled: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.kept: list[float] = []
        self._tags: dict[str, Tag] = {}
        self._record: dict[str, Any] = {}

    def state(self) -> State:
        if self.is_away:
            raise OllamaError("Ollama does not answer: refused")
        return State(dict(self._tags), dict(self._record), {}, 100 * GIB)

    def tags(self) -> dict[str, Tag]:
        return dict(self._tags)

    def free_bytes(self) -> int:
        return 100 * GIB

    def pull(self, source: str, *, insecure: bool, stall_s: float) -> Iterator[dict[str, Any]]:
        self.pulled.append(source)
        if source in self.broken:
            yield {"error": "no such host"}
        for done in (0, 1, 2):
            yield {"digest": source, "total": 2 * GIB, "completed": done * GIB}
            self.seen += self.board.shown()["models"]  # once that event was taken in
        self._tags[full_name(source)] = Tag("x", 2 * GIB)
        yield {"status": "success"}

    def delete(self, name: str) -> None:
        if name in self.broken:
            raise OllamaError("it is in use")
        self._tags.pop(name)

    def create(self, name: str, source: str, settings: Mapping[str, Any]) -> None:
        self._tags[full_name(name)] = Tag(f"made of {source}", 2 * GIB)

    def remember(self, record: Mapping[str, Any]) -> None:
        self._record = dict(record)

    def keep_rate(self, bytes_s: float) -> None:
        self.kept.append(bytes_s)


class Place:
    """A fetcher, its board and its Ollama."""

    def __init__(self, *names: str, prune: bool = False) -> None:
        self.board = Board()
        self.said: list[str] = []
        self.ollama = FakeOllama(self.board)
        models = tuple(entry(name, gib) for gib, name in enumerate(names, 1))
        wanted = Wanted(models, prune=prune, limits=Limits())
        self.fetcher = Fetcher(cast("Any", self.ollama), wanted, self.board, self.said.append)

    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.board.shown()["models"]}

    def reason(self, name: str) -> str:
        shown = self.board.shown()["models"]
        return str(next(one["reason"] for one in shown if one["name"] == name))


def entry(name: str, gib: float) -> dict[str, Any]:
    return {
        "name": name, "source": f"library/{name}", "kind": "chat", "context": None,
        "engine_args": {}, "disk_gib": gib,
    }  # fmt: skip


def test_one_pass_brings_all_and_shows_each_on_its_way() -> None:
    place = Place("a", "b")
    assert place.fetcher.once() == LONGEST_PAUSE_S
    assert place.states() == {"a": "there", "b": "there"}
    ways = [(one["name"], one["state"], one["done_bytes"] // GIB) for one in place.ollama.seen]
    assert [way for way in ways if way[0] == "a"][:3] == [
        ("a", "pulling", gib) for gib in (0, 1, 2)
    ]
    assert ("b", "waits", 0) in ways
    assert place.board.shown()["models"][0]["is_starter"]


def test_a_failed_download_is_named_keeps_nobody_and_is_tried_again_ever_later() -> None:
    place = Place("a", "b")
    place.ollama.broken = {"library/a"}
    pauses_s = [place.fetcher.once() for _ in range(7)]
    assert place.states() == {"a": "failed", "b": "there"}
    assert place.reason("a") == "cannot pull library/a: no such host"
    assert pauses_s == [60, 120, 240, 480, 960, 1800, 1800]
    place.ollama.broken = set()
    place.fetcher.once()
    assert place.states() == {"a": "there", "b": "there"}
    assert place.ollama.pulled.count("library/b") == 1


def test_an_ollama_that_does_not_answer_is_said_once_and_waited_for() -> None:
    place = Place("a")
    place.ollama.is_away = True
    assert [place.fetcher.once() for _ in range(2)] == [UNANSWERED_PAUSE_S] * 2
    assert place.said == ["waiting for Ollama: Ollama does not answer: refused"]
    assert place.board.shown()["why"] == "Ollama does not answer: refused"
    place.ollama.is_away = False
    place.fetcher.once()
    assert place.board.shown()["why"] == ""
    assert place.states() == {"a": "there"}


def test_the_rate_is_what_a_download_was_measured_at_and_stays_with_the_models() -> None:
    place = Place("a")
    assert place.board.shown()["rate_bytes_s"] is None
    place.fetcher.once()
    assert place.board.shown()["rate_bytes_s"] == place.ollama.kept[-1] > 0


def test_what_is_to_be_removed_is_waited_for_and_named_where_it_stays() -> None:
    place = Place("a", prune=True)
    for name in ("old", "stuck"):
        place.ollama.create(name, "x", {})
    place.ollama.broken = {"stuck:latest"}
    place.fetcher.once()
    assert place.states() == {"stuck:latest": "failed", "a": "there"}
    assert place.reason("stuck:latest") == "cannot be removed: it is in use"
    first = [one for one in place.ollama.seen if one["name"] in ("old:latest", "stuck:latest")]
    assert {one["state"] for one in first} == {"failed"}, "both were tried before the download"


def test_a_removal_that_is_to_come_is_what_a_deployment_waits_for() -> None:
    place = Place()
    place.board.looked([], [Remove("old:1", GIB)], State())
    (waited,) = Status.read(place.board.shown()).first
    assert (waited.name, waited.state) == ("old:1", "removing")


def test_files_that_cannot_be_looked_at_count_as_not_there() -> None:
    class Barred(type(Path())):  # type: ignore[misc]  # whichever kind of path this system has
        def is_file(self, **_: Any) -> bool:
            raise PermissionError(13, "Permission denied")

    class Folder:
        def glob(self, _: str) -> list[Path]:
            return [Barred("own.gguf")]

    assert Ollama("http://ollama", Path(), cast("Path", Folder())).files() == {}
