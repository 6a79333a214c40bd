"""A server for K3s' modules."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from k3s_server.machine import Machine
from k3s_server.release import Release, served


@pytest.fixture
def release() -> Iterator[Release]:
    with served() as made:
        yield made


@pytest.fixture
def machine(tmp_path: Path, release: Release) -> Machine:
    return Machine(tmp_path / "root", release)
