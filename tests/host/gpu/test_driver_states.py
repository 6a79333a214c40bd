"""Each state of GPU and driver that people report is read and has the right sentence."""

import pytest

from host_lab.server import Server
from host_lab_gpu import driver, machine
from host_lab_gpu.looked_at import facts_of, remedies
from host_lab_gpu.states import STATES
from synapse_host.rules import driver as of_driver
from synapse_host.rules import gpu
from synapse_testbed.cache import Cache

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_read_and_has_its_sentence(server: Server, cache: Cache, name: str) -> None:
    state = STATES[name]
    packages = cache.obtain(driver.packages(state.installed)) if state.installed else None
    machine.bring_into(server, state, packages)

    said = remedies(facts_of(server), (*gpu.RULES, *of_driver.RULES))

    for what, words in state.expected.items():
        assert words in said.pop(what)
    assert not said
