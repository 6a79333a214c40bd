"""The status page over a real arbiter with simulated engines: what happens is what is shown."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import Harness, running_arbiter

from .browser import LIMIT_S, Browser
from .stages import in_a_thread

TOKEN = "sesame"


class Live:
    """An arbiter that runs in a thread."""

    def __init__(self, home: Harness, loop: asyncio.AbstractEventLoop) -> None:
        self.home, self._loop = home, loop

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the arbiter's thread."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(LIMIT_S)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    context = running_arbiter("chat", "coder", awake="chat", admin_token_file=str(token_file))
    with in_a_thread(context) as (home, loop):
        yield Live(home, loop)


def headline(browser: Browser, text: str) -> Callable[[], bool]:
    return lambda: browser.shows("#headline", text)


def test_a_request_for_another_model_moves_the_gpu(browser: Browser, live: Live) -> None:
    browser.open(live.home.at("operator"))
    browser.until(headline(browser, "chat holds the GPU"))
    assert live.do(live.home.ask("coder")).status == 200
    browser.until(headline(browser, "coder holds the GPU"))
    assert len(browser.texts(".span.resident")) == 2
    assert browser.texts("#decisions li")
    assert browser.complaints() == []


def test_watching_wakes_nothing(browser: Browser, live: Live) -> None:
    before = live.home.simulators["coder"].counters["wakes"]
    browser.open(live.home.at("operator"))
    browser.until(headline(browser, "chat holds the GPU"))
    assert live.home.simulators["coder"].counters["wakes"] == before


def test_the_buttons_command_the_arbiter(browser: Browser, live: Live) -> None:
    browser.open(live.home.at("operator"))
    browser.click('[data-action="pin"][data-model="coder"]')
    browser.order("guessed")
    browser.until(lambda: browser.text("#toast") == "This call needs the operator's token.")
    browser.click('[data-action="pin"][data-model="coder"]')
    browser.order(TOKEN)
    browser.until(headline(browser, "coder holds the GPU"))
    browser.until(lambda: "pinned to coder" in browser.texts("#facts li"))
    browser.click('.model [data-action="unpin"]')
    browser.order(None)
    browser.until(lambda: "pinned to coder" not in browser.texts("#facts li"))
    browser.click('[data-action="release"]')
    browser.order(None)
    browser.until(headline(browser, "The GPU is released"))
    assert live.do(live.home.ask("chat")).code == "gpu_released"
    browser.click('[data-action="reclaim"]')
    browser.order(None)
    browser.until(headline(browser, "The GPU is free"))
    assert live.do(live.home.ask("chat")).status == 200


def test_a_name_of_somebody_elses_that_leads_here_reads_nothing(
    browser: Browser, live: Live
) -> None:
    address = live.home.at("operator")
    for path in ("/", "/status"):
        browser.load(address.replace("127.0.0.1", "rebound.example") + path)
        said = browser.run("return document.body.textContent")
        assert "The arbiter is not asked by this name" in said, said
        assert "chat" not in said
    browser.open(address.replace("127.0.0.1", "localhost"))
    browser.until(headline(browser, "chat holds the GPU"))
