"""An arbiter in front of engines, all in one process: over HTTP, or with fakes in virtual time."""

from arbiter_house.fakes import FakeEngine, FakeRecycler, FakeVram, fake_settings
from arbiter_house.house import House, house, settings_of
from arbiter_house.scripted import ScriptedEngine, scripted
from arbiter_house.stage import Stage

__all__ = [
    "FakeEngine",
    "FakeRecycler",
    "FakeVram",
    "House",
    "ScriptedEngine",
    "Stage",
    "fake_settings",
    "house",
    "scripted",
    "settings_of",
]
