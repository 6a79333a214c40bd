"""What several tests of the arbiter start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from boot_container import Container, Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Container] = []

    def begin(arbiter: str, *options: str, engine: tuple[str, ...] = ()) -> Container:
        started.append(Container(tmp_path, arbiter, *options, engine=engine))
        return started[-1]

    yield begin
    for container in started:
        container.kill()
