"""What several tests of the arbiter start."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from boot_container import SECRET, Container, Start
from harness import Harness, running_arbiter


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Container] = []

    def begin(arbiter: str, *options: str, engine: tuple[str, ...] = ()) -> Container:
        started.append(Container(tmp_path, arbiter, *options, engine=engine))
        return started[-1]

    yield begin
    for container in started:
        container.kill()


@pytest.fixture
async def booting_home(tmp_path: Path) -> AsyncIterator[Harness]:
    """An arbiter with one engine that is awake, and one that `start` may start."""
    file = tmp_path / "arbiters-secret"
    file.write_text(SECRET)
    limits = {"canary_s": 0.5}
    async with running_arbiter(
        "a", "big", awake="a", boot_secret_file=str(file), limits=limits
    ) as running:
        yield running
