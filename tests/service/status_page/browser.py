"""A headless chromium that tells what it was asked to load and what it complained about."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

LIMIT_S = 20


class Browser:
    """One tab on the status page."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(self, address: str, scheme: str = "light") -> None:
        """Load the page and wait until it has drawn a status."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.resize(1280, 900)
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.load(f"{address}/")
        self.until(lambda: self.find("#connection").text == "live")

    def load(self, address: str) -> None:
        """Load whatever is there."""
        self._driver.get(address)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def find(self, selector: str) -> WebElement:
        return self._driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        found = self._driver.find_elements(By.CSS_SELECTOR, selector)
        return [element.text.replace("\N{NO-BREAK SPACE}", " ") for element in found]

    def text(self, selector: str) -> str:
        return self.texts(selector)[0]

    def shows(self, selector: str, text: str) -> bool:
        return self.text(selector) == text

    def click(self, selector: str) -> None:
        self.until(lambda: self.find(selector).is_enabled())
        self.find(selector).click()

    def run(self, script: str) -> Any:
        return self._driver.execute_script(script)

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        ignored = (NoSuchElementException, StaleElementReferenceException, IndexError)
        wait = WebDriverWait(self._driver, LIMIT_S, 0.05, ignored_exceptions=ignored)
        wait.until(lambda _driver: condition())

    def order(self, token: str | None) -> None:
        """Confirm the dialog that is open, with a token if one is asked for."""
        self.until(lambda: self.find("#ask").is_displayed())
        if token is not None:
            self.find("#ask-token").send_keys(token)
        self.find("#ask-go").click()

    def complaints(self) -> list[str]:
        """Return what the console said since the last call."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def _log(self, kind: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = self._driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Start Debian's chromium, or skip the test saying how to get it."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium is missing; `make test-service` installs it")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    # A name of somebody else's that leads to this machine, as DNS rebinding makes one.
    options.add_argument("--host-resolver-rules=MAP rebound.example 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(driver)
    chrome = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
