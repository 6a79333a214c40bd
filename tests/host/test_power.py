"""The power is cut during the first run: the next one finishes, the one after changes nothing.

Which points is drawn from a seed; `make test-host-all` tries more of them.
"""

import os
import random

import pytest

from host_lab.artefacts import Releases
from host_lab.lab import wait_for_boot
from host_lab.playing import Site
from host_lab.server import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
POINTS = int(os.environ.get("HOST_POWER_CUTS") or 6)
SEED = int(os.environ.get("HOST_SEED") or 18)
# The tasks of a first run, from the first that changes something to the last.
TASKS = range(4, 36)


@pytest.mark.parametrize("task", random.Random(SEED).sample(TASKS, min(POINTS, len(TASKS))))
def test_run_after_a_power_failure_finishes(bare: Server, releases: Releases, task: int) -> None:
    site = Site(bare.name)
    begun = 0

    def reached(line: str) -> bool:
        nonlocal begun
        begun += line.startswith("TASK [")
        if begun == task:
            bare.cut_power()
        return begun == task

    cut = site.play("cluster.yml", watch=reached, k3s_download_url=releases.url())
    assert cut.rc != 0, "the run was over before the power was cut"
    wait_for_boot(bare)
    told = site.play("cluster.yml", k3s_download_url=releases.url())
    assert told.rc == 0, told.text
    assert "Ready" in bare.shell("k3s kubectl get nodes --no-headers").split()
    again = site.play("cluster.yml", k3s_download_url=releases.url())
    assert (again.rc, again.changed) == (0, []), again.text
