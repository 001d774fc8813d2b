"""A headless Chromium, for what only a browser can tell."""

import json
import os
import shutil
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_WAIT_SECONDS = 20
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_Value = TypeVar("_Value")


def start_browser() -> "Browser":
    """A browser; skips the test where there is none, unless REQUIRE_BROWSER is set."""
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        missing = "no Chromium with chromedriver (Debian: apt install chromium chromium-driver)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Browser(webdriver.Chrome(options, Service(driver)))


class Browser:
    """One window, and what happened in it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver: Any = driver  # its package names only some of its types

    def begin(self) -> None:
        """An empty window of a desktop, light, with nothing remembered."""
        self.driver.get("about:blank")
        self._command("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.prefer("light")
        self.resize(1280)
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def open(self, address: str) -> None:
        """Open a page of the dashboard, and wait for its figures."""
        self.driver.get(address)
        self.settle()

    def settle(self) -> None:
        """Wait until the view is drawn."""
        self.until(lambda: self.run("return document.querySelector('main').ariaBusy === 'false'"))

    def until(self, condition: Callable[[], _Value | None]) -> _Value:
        """The first value of a condition that is true."""

        def found(_: Any) -> Any:
            return condition()

        return WebDriverWait(self.driver, _WAIT_SECONDS, poll_frequency=0.05).until(found)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        """The first element, once there is one."""
        return self.until(lambda: next(iter(self.all(selector)), None))

    def all(self, selector: str) -> list[WebElement]:
        """The elements that there are."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Their texts, read in one go, as the page may change meanwhile."""
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)",
            selector,
        )

    def text(self, selector: str) -> str:
        """The text of the first."""
        return self.until(lambda: next(iter(self.texts(selector)), ""))

    def link(self, text: str) -> WebElement:
        """The link that reads so."""

        def links() -> list[WebElement]:
            return self.driver.find_elements(By.LINK_TEXT, text)

        return self.until(lambda: next(iter(links()), None))

    def follow(self, link: WebElement) -> None:
        """Click a link, and wait for what it leads to."""
        before = self.run("return location.hash")
        link.click()
        self.until(lambda: self.run("return location.hash") != before)
        self.settle()

    def follow_first(self, selector: str) -> None:
        """Click the first link there, found and clicked in one go: the page may draw itself anew
        at any time."""
        self.find(selector)
        before = self.run("return location.hash")
        self.run("document.querySelector(arguments[0]).click()", selector)
        self.until(lambda: self.run("return location.hash") != before)
        self.settle()

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def tab_to(self, selector: str) -> None:
        """Go there by the keyboard alone."""
        for _ in range(60):
            if self.run("return document.activeElement.matches(arguments[0])", selector):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"no Tab leads to {selector}")

    def resize(self, width: int) -> None:
        """A window of that many pixels."""
        self._command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """The system's colours: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._command("Emulation.setEmulatedMedia", features=features)

    def is_overflowing(self) -> bool:
        """Whether the page scrolls sideways."""
        return self.run("return document.documentElement.scrollWidth > innerWidth")

    def complaints(self) -> list[str]:
        """What the console has shown since the last time: warnings and errors."""
        return [
            each["message"]
            for each in self.driver.get_log("browser")
            if each["level"] in {"WARNING", "SEVERE"}
        ]

    def requested(self) -> list[str]:
        """The addresses that were asked for since the last time."""
        events = [
            json.loads(each["message"])["message"] for each in self.driver.get_log("performance")
        ]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _command(self, name: str, **parameters: Any) -> None:
        self.driver.execute_cdp_cmd(name, parameters)
