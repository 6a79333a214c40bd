"""An arbiter in front of engines, all in one process: over HTTP, or with fakes in virtual time."""

from arbiter_house.fakes import FakeEngine, FakeRecycler, FakeVram, fake_settings
from arbiter_house.house import House, house, settings_of
from arbiter_house.stage import Stage

__all__ = [
    "FakeEngine",
    "FakeRecycler",
    "FakeVram",
    "House",
    "Stage",
    "fake_settings",
    "house",
    "settings_of",
]
