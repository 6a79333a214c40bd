"""Engines of every kind for all tests, and a gateway that is replaced when it dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from abuse.site import Site, Standing, engines


@pytest.fixture(scope="session")
def ports() -> Iterator[dict[str, int]]:
    """Where each engine listens."""
    with engines() as found:
        yield found


@pytest.fixture(scope="module")
def standing(ports: dict[str, int]) -> Iterator[Standing]:
    """A gateway that no other module has harmed."""
    found = Standing(ports)
    yield found
    found.close()


@pytest.fixture
def site(standing: Standing) -> Site:
    """A gateway that lives."""
    return standing.site()
