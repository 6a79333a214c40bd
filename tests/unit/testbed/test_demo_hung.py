"""The scene of the hung engine: the engine goes on in any case, and a refusal ends the scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from demo import hung
from demo.stage import Demo, DemoError


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was sent to the engine instead of through podman."""
    sent: list[str] = []
    monkeypatch.setattr(hung, "podman", lambda *told: sent.append(told[3]))
    yield sent
    assert sent == ["-STOP", "-CONT"]


class Answering:
    """A demo whose models answer with these statuses, in turn, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.asked: list[str] = []

    def send(self, _: str, model: str, __: dict[str, Any]) -> httpx.Response:
        self.asked.append(model)
        wanted = model == hung.WELL and self._statuses
        return httpx.Response(self._statuses.pop(0) if wanted else 200, json={})

    def show_log(self, _: httpx.Response) -> dict[str, Any]:
        return {}


def test_the_model_that_is_well_is_asked_while_the_other_hangs() -> None:
    demo = Answering()
    hung.hung_engine(cast(Demo, demo))
    assert demo.asked.count(hung.WELL) == hung.ASKED + 1
    assert demo.asked.count(hung.HUNG) == hung.PLACES + 1


def test_a_refusal_of_the_model_that_is_well_ends_the_scene() -> None:
    with pytest.raises(DemoError, match="answered 429 while chat hangs"):
        hung.hung_engine(cast(Demo, Answering(200, 429)))


def test_the_engine_goes_on_whatever_happens() -> None:
    with pytest.raises(KeyError), hung.stopped(hung.PROCESS):
        raise KeyError
