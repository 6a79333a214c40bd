"""What the tests of the host share: the scenario's server, and others that a test may break."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

from host_lab import artefacts, k3s, lab
from host_lab.playing import Site
from host_lab.server import Server
from synapse_testbed.cache import Cache
from synapse_testbed.settings import from_environment

NAME = os.environ.get("SYNAPSE_HOST") or "host-test"
# For a test with several first runs, on a machine with other work.
LONG_LIMIT_S = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that start servers of their own the time for it."""
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_LIMIT_S))


@pytest.fixture(scope="session")
def machine() -> Server:
    """The server on which the scenario has set up K3s."""
    return Server(NAME)


@pytest.fixture(scope="session")
def neighbour() -> Server:
    """Another machine of its LAN."""
    return Server(f"{NAME}{lab.NEIGHBOUR}")


@pytest.fixture(scope="session")
def server() -> Host:
    """The same server as testinfra sees it, as root."""
    return testinfra.get_host(f"podman://{NAME}")


@pytest.fixture(scope="session")
def site() -> Site:
    """The operator's side of the scenario's server."""
    return Site(NAME)


@pytest.fixture(scope="session")
def release() -> Iterator[Path]:
    """The files of K3s' release."""
    with Cache(from_environment(os.environ).cache) as cache:
        yield k3s.release(cache)


@pytest.fixture
def releases(release: Path) -> Iterator[artefacts.Releases]:
    """A place of releases that a test can have fail."""
    with artefacts.serving({k3s.version(): release}) as served:
        yield served


@pytest.fixture
def bare() -> Iterator[Server]:
    """A bare server of the test's own."""
    name = f"{NAME}-bare"
    try:
        yield lab.create(name)
    finally:
        lab.destroy(name)
