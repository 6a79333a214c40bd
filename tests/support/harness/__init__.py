"""Every way to run an arbiter before engines in a test.

`running_arbiter` over HTTP in one process, `faulty` with engines that can be broken, `scheduler`
with fakes in virtual time, `server` as processes that share a GPU, `gpu_stack` with the gateway in
front of that.
"""

from harness.arbiter import Answer, Harness, running_arbiter, settings_of
from harness.fakes import FakeEngine, FakeRecycler, FakeVram, fake_settings
from harness.scheduler import SchedulerHarness
from harness.scripted import ScriptedEngine, scripted

__all__ = [
    "Answer",
    "FakeEngine",
    "FakeRecycler",
    "FakeVram",
    "Harness",
    "SchedulerHarness",
    "ScriptedEngine",
    "fake_settings",
    "running_arbiter",
    "scripted",
    "settings_of",
]
