"""The kernel gets what K3s needs, and never less than it has; hardening asks for more."""

import re
from pathlib import Path

import pytest

from host_facts_of import facts, with_k3s, with_system
from synapse_host.settings import SETTINGS, needs_clock, swap, sysctl_file, unmet

READER = Path(__file__).parents[3] / "roles/host/module_utils/synapse_facts/system.py"
DEBIAN = {
    "fs.inotify.max_user_instances": "128",
    "fs.inotify.max_user_watches": "1048576",
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.panic": "0",
    "kernel.panic_on_oops": "0",
    "vm.overcommit_memory": "0",
    "vm.panic_on_oom": "0",
}


def values(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9_.]+) = (\d+)$", text, re.M))


def test_every_setting_is_among_the_facts_of_a_server() -> None:
    text = READER.read_text()
    assert [setting.name for setting in SETTINGS if f'"{setting.name}"' not in text] == []


def test_a_limit_that_is_higher_is_not_lowered() -> None:
    assert values(sysctl_file(DEBIAN, is_hardened=False)) == {
        "fs.inotify.max_user_instances": "8192",
        "fs.inotify.max_user_watches": "1048576",
    }


def test_hardening_adds_all_that_kubelet_insists_on() -> None:
    """Those of `setupKernelTunables` in kubelet: K3s' guide names only the first four."""
    added = (
        values(sysctl_file(DEBIAN, is_hardened=True)).keys()
        - values(sysctl_file(DEBIAN, is_hardened=False)).keys()
    )
    assert added == {
        "vm.overcommit_memory",
        "vm.panic_on_oom",
        "kernel.panic",
        "kernel.panic_on_oops",
        "kernel.keys.root_maxkeys",
        "kernel.keys.root_maxbytes",
    }


@pytest.mark.parametrize("is_hardened", [False, True])
def test_once_they_are_set_the_file_stays_the_same(is_hardened: bool) -> None:
    first = sysctl_file(DEBIAN, is_hardened)
    seen = {**DEBIAN, **values(first)}
    assert unmet(seen, is_hardened) == []
    assert sysctl_file(seen, is_hardened) == first


def test_what_nobody_could_read_is_unmet() -> None:
    names = [setting.name for setting in unmet({}, is_hardened=False)]
    assert names == ["fs.inotify.max_user_instances", "fs.inotify.max_user_watches"]


def test_a_clock_is_set_where_nobody_does_and_nobody_lives() -> None:
    stopped = with_system(facts(), clock_service="", clock_synchronized=False)
    assert needs_clock(stopped)
    assert not needs_clock(facts())
    assert not needs_clock(with_system(stopped, clock_synchronized=True))
    assert not needs_clock(with_system(stopped, container="podman"))
    assert not needs_clock(with_k3s(stopped, was_lived_in=True))


def test_swap_is_stated_where_there_is_some() -> None:
    assert swap(facts()) == ""
    assert "8 GiB of swap stay on" in swap(with_system(facts(), swap_gib=8.0))
