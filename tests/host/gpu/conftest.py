"""A bare server of this module's own, and NVIDIA's repositories on a web server that it reaches."""

import os
from collections.abc import Iterator

import pytest

from host_lab import lab
from host_lab.server import Server
from host_lab_gpu import machine
from host_lab_gpu.published import Published, publish
from host_lab_gpu.served import serving
from synapse_testbed.cache import Cache
from synapse_testbed.settings import from_environment

NAME = f"{os.environ.get('SYNAPSE_HOST') or 'host-test'}-gpu"


@pytest.fixture(scope="session")
def cache() -> Iterator[Cache]:
    with Cache(from_environment(os.environ).cache) as opened:
        yield opened


@pytest.fixture(scope="session")
def repositories(
    cache: Cache, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Published, str]]:
    """What is published, and the address under which servers in containers find it."""
    folder = tmp_path_factory.mktemp("nvidia") / "published"
    published = publish(cache, folder)
    with serving(folder) as address:
        yield published, address


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A bare server without a GPU; `machine` gives it one."""
    made = lab.create(NAME)
    try:
        machine.prepare(made)
        yield made
    finally:
        lab.destroy(NAME)
