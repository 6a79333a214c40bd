"""A pull is followed in virtual time: what it says, when it is refused, when it is given up."""

from typing import Any

import pytest

from synapse_ollama.plan import GIB
from synapse_ollama.progress import PullError, PullProgress


class Pull:
    """A pull whose clock only moves when the test says so."""

    def __init__(self, room_bytes: int | None = None, stall_s: float = 60) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.progress = PullProgress(self.said.append, lambda: self.now, room_bytes, stall_s)

    def at(self, now: float, **event: Any) -> None:
        self.now = now
        self.progress.feed(event)

    def layer(self, now: float, gib: float, of: float, digest: str = "a") -> None:
        self.at(now, digest=digest, total=int(of * GIB), completed=int(gib * GIB))


def test_progress_is_said_now_and_then() -> None:
    pull = Pull()
    for second in range(11):
        pull.layer(second, second, of=20)
    assert pull.said == [
        "25 %, 5.00 of 20.00 GiB, 1024 MiB/s",
        "50 %, 10.00 of 20.00 GiB, 1024 MiB/s",
    ]


def test_rate_does_not_count_what_was_there() -> None:
    pull = Pull()
    pull.layer(0, 10, of=20)
    pull.layer(10, 11, of=20)
    assert pull.said == ["55 %, 11.00 of 20.00 GiB, 102 MiB/s"]


def test_announced_size_that_does_not_fit_is_refused_at_once() -> None:
    pull = Pull(room_bytes=5 * GIB)
    pull.layer(0, 0, of=4)
    with pytest.raises(PullError, match=r"it needs 6\.00 GiB, and 5\.00 GiB are free"):
        pull.layer(1, 0, of=2, digest="b")


def test_what_is_there_already_needs_no_room() -> None:
    pull = Pull(room_bytes=0)
    pull.layer(0, 4, of=4)


def test_download_that_stands_still_is_given_up() -> None:
    pull = Pull(stall_s=60)
    pull.layer(0, 1, of=4)
    pull.layer(59, 1, of=4)
    with pytest.raises(PullError, match="no progress for 60 s"):
        pull.layer(61, 1, of=4)


def test_any_progress_starts_the_wait_anew() -> None:
    pull = Pull(stall_s=60)
    for minute in range(10):
        pull.layer(minute * 59, minute / 100, of=4)


def test_error_of_the_stream_is_the_reason() -> None:
    with pytest.raises(PullError, match="file does not exist"):
        Pull().at(0, error="pull model manifest: file does not exist")
