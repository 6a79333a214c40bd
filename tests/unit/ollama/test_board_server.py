"""The board over HTTP: anybody who is let in reads it, and has the fetcher look again."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from synapse_ollama.board import Board
from synapse_ollama.ollama import OllamaError
from synapse_ollama.plan import State, plan
from synapse_ollama.server import BoardServer

ENTRY: dict[str, Any] = {
    "name": "a", "source": "library/a", "kind": "chat", "context": None, "engine_args": {},
    "disk_gib": 1,
}  # fmt: skip


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def volume() -> list[State]:
    return []


@pytest.fixture
def url(board: Board, volume: list[State]) -> Iterator[str]:
    def state() -> State:
        if not volume:
            raise OllamaError("Ollama does not answer")
        return volume[-1]

    with BoardServer(("127.0.0.1", 0), board, state) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def ask(url: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return json.load(answer)


def test_status_shows_every_model(board: Board, url: str) -> None:
    board.looked([ENTRY], plan([ENTRY], State(), prune=False), State())
    shown = ask(f"{url}/status")
    assert [(one["name"], one["state"]) for one in shown["models"]] == [("a", "waits")]
    assert ask(f"{url}/health") == {}


def test_state_is_read_anew_whenever_somebody_asks(url: str, volume: list[State]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask(f"{url}/state")
    for free_bytes in (2, 1):
        volume.append(State(free_bytes=free_bytes))
        assert State.read(ask(f"{url}/state")) == volume[-1]


def test_a_look_is_waited_for_where_nothing_is_under_way(board: Board, url: str) -> None:
    board.looked([ENTRY], [], State())
    board.rests(1800)

    def look() -> None:
        board.wait(60)
        board.looked([ENTRY], [], State())

    looking = threading.Thread(target=look)
    looking.start()
    assert ask(f"{url}/look", "POST")["looks"] == 2
    looking.join()


def test_a_look_does_not_disturb_a_download(board: Board, url: str) -> None:
    board.looked([ENTRY], plan([ENTRY], State(), prune=False), State())
    shown = ask(f"{url}/look", "POST")
    assert (shown["looks"], shown["is_busy"]) == (1, True)


def test_all_else_is_refused(url: str) -> None:
    for path, method in (("/other", "GET"), ("/status", "POST")):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(f"{url}{path}", method)
