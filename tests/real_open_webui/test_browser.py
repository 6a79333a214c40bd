"""Once as a person sees it: sign in, look at the menu, ask, read, stop; a picture of each step."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from real_open_webui.page import ADMIN, PASSWORD, Page
from real_open_webui.sites import Since, Site

from .conftest import PREFIX

APP, TASKS_APP = "open-webui", "open-webui-tasks"
LIMIT_S = 60
INPUT, MENU, STOP = "#chat-input", "#model-selector-model-button", "button[aria-label^=Stop]"
NEWS = '//button[contains(., "Okay, Let\'s Go!")]'
ANSWER = ".chat-assistant"


class Browser:
    """One tab of a headless chromium, which keeps a picture of what it shows."""

    def __init__(self, driver: webdriver.Chrome, folder: Path) -> None:
        """Drive it, and put pictures into the folder."""
        self._driver, self._folder = driver, folder

    def open(self, url: str) -> None:
        """Load a page."""
        self._driver.get(url)

    def find(self, selector: str) -> list[WebElement]:
        """Return what is there."""
        by = By.XPATH if selector.startswith("//") else By.CSS_SELECTOR
        return self._driver.find_elements(by, selector)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; a picture shows what was there instead."""
        wait = WebDriverWait(self._driver, LIMIT_S, 0.1, ignored_exceptions=(WebDriverException,))
        try:
            wait.until(lambda _driver: condition())
        except WebDriverException:
            pytest.fail(f"{what}: not within {LIMIT_S} s, see {self.picture('failed')}")

    def click(self, selector: str) -> None:
        """Click on it as soon as it can be clicked on."""

        def clicked() -> bool:
            self.find(selector)[0].click()
            return True

        self.until(lambda: bool(self.find(selector)) and clicked(), f"a click on {selector}")

    def type(self, selector: str, text: str) -> None:
        """Write into a field as soon as it is there."""
        self.until(lambda: self.find(selector), selector)
        self.find(selector)[0].send_keys(text)

    def text(self, selector: str) -> str:
        """Return the words of the last of them."""
        found = self.find(selector)
        return found[-1].text if found else ""

    def picture(self, name: str) -> Path:
        """Keep what is shown."""
        file = self._folder / f"{name}.png"
        self._driver.save_screenshot(str(file))
        return file


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A chromium of the system."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium is not None, "make test-clients installs chromium"
    assert driver is not None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ):  # fmt: skip
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(chrome, tmp_path)
    finally:
        chrome.quit()


def test_a_person_signs_in_chooses_a_model_and_gets_an_answer(
    browser: Browser, page: Page, site: Site, since: Since
) -> None:
    before = site.gpu()
    browser.open(page.url)
    browser.type("#email", ADMIN)
    browser.type("#password", PASSWORD)
    browser.click("button[type=submit]")
    browser.until(lambda: browser.find(INPUT), "the page for chats")
    browser.until(lambda: browser.find(NEWS), "what is new")
    browser.click(NEWS)
    browser.until(lambda: not browser.find(NEWS), "what is new to go away")
    # W4: what the menu shows.
    browser.click(MENU)
    browser.until(lambda: browser.find("[role=option]"), "the menu")
    shown = {one.text.splitlines()[0] for one in browser.find("[role=option]")}
    browser.picture("menu")
    ours = {name for name in shown if not name.startswith(f"{PREFIX}.")}
    assert ours == {*site.catalogue.chats, "task.fast"}
    browser.click(f"//*[@role='option'][starts-with(normalize-space(.), '{site.catalogue.cpu}')]")
    browser.until(
        lambda: site.catalogue.cpu in (browser.find(MENU)[0].get_attribute("aria-label") or ""),
        "the chosen model",
    )
    # The answer, and what goes with it.
    browser.type(INPUT, "What did the cat do?")
    browser.type(INPUT, Keys.ENTER)
    browser.until(lambda: len(browser.text(ANSWER).split()) > 1, "an answer")
    browser.picture("answer")
    (line,) = since.of(APP, "chat")
    assert (line["asked"], line["status"]) == (site.catalogue.cpu, 200)
    assert {one["asked"] for one in since.of(TASKS_APP, "chat", 3)} == {"fast"}
    assert site.gpu() == before
    # W7: the button that stops.
    again = Since(site)
    browser.type(INPUT, "Tell me a very long story about a cat, in 500 words.")
    browser.type(INPUT, Keys.ENTER)
    browser.until(lambda: len(browser.find(ANSWER)) > 1, "a second answer")
    browser.until(lambda: len(browser.text(ANSWER).split()) > 5, "its first words")
    browser.click(STOP)
    browser.picture("stopped")
    (stopped,) = again.of(APP, "chat")
    assert stopped["status"] == 499
    assert stopped["tokens_out"] >= 5
