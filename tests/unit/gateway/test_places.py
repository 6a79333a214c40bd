"""An application's places: of the whole gateway, and at each model."""

from __future__ import annotations

import contextlib

import pytest

from synapse_common.refusals import Refusal
from synapse_gateway.places import Places, Room


def _refused(place: contextlib.AbstractContextManager[None]) -> tuple[int, str, str]:
    with pytest.raises(Refusal) as found, place:
        pass
    return found.value.status, found.value.code, found.value.headers["retry-after"]


def test_a_full_model_leaves_the_others_free() -> None:
    places = Places(Room(9, 9), 1)
    with places.at("hung"):
        assert places.is_full("hung")
        assert _refused(places.at("hung")) == (429, "rate_limit_exceeded", "1")
        with places.at("well"):
            pass
    assert not places.is_full("hung")
    with places.at("hung"):
        pass


def test_one_application_leaves_places_for_the_others() -> None:
    room = Room(3, 2)
    greedy, modest = Places(room, 9), Places(room, 9)
    with greedy.one(), greedy.one():
        assert _refused(greedy.one()) == (429, "rate_limit_exceeded", "1")
        with modest.one():
            assert _refused(modest.one()) == (503, "overloaded", "5")
    assert (room.taken, greedy.taken, modest.taken) == (0, 0, 0)


def test_a_place_is_given_back_whatever_happens() -> None:
    room = Room(1, 1)
    places = Places(room, 1)
    with pytest.raises(ZeroDivisionError), places.one(), places.at("model"):
        raise ZeroDivisionError
    assert (room.taken, places.is_full("model")) == (0, False)
