"""One browser for all tests, and a stage for each."""

from collections.abc import Iterator

import pytest

from .browser import Browser, start_browser
from .stages import Stage, run_stage


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def browser(_chromium: Browser) -> Browser:
    _chromium.complaints()
    _chromium.requests()
    return _chromium


@pytest.fixture
def stage() -> Iterator[Stage]:
    with run_stage() as stage:
        yield stage
