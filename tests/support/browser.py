"""Start headless Chromium; importing this module skips the tests of a machine without selenium."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

if not os.environ.get("USDM_REQUIRE_BROWSER"):  # then nothing may be left out
    pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

ALL: Final = "select all"
"""What `KeyboardUser.press` takes for Ctrl and A."""
WCAG: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
"""The rules of axe that pages are checked with."""
_RUN_AXE: Final = """
const [tags, done] = arguments;
axe.run(document, {runOnly: tags, resultTypes: ["violations"]}).then(
  result => done(result.violations.map(each => `${each.id}: ${each.nodes[0].html}`)),
  error => done([`axe failed: ${error}`]));
"""


def _programs() -> tuple[str, str]:
    """Return the paths of browser and driver; skip the tests without them.

    With USDM_REQUIRE_BROWSER the tests fail instead.
    """
    browser = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        reason = "chromium or chromedriver is not installed; apt install chromium chromium-driver"
        if os.environ.get("USDM_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return browser, driver


@contextmanager
def start_browser() -> Iterator[Any]:
    """Yield a browser that logs its console and its requests."""
    found, driver = _programs()
    options = webdriver.ChromeOptions()
    options.binary_location = found
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for each in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--force-prefers-reduced-motion",
    ):
        options.add_argument(each)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    with webdriver.Chrome(options=options, service=Service(driver)) as started:
        yield started


def set_screen(browser: Any, width: int, height: int) -> None:
    """Make the window as large as a screen; below 500 px it is that of a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def set_scheme(browser: Any, scheme: str) -> None:
    """Ask pages for a light or a dark look."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def find_axe_problems(browser: Any) -> list[str]:
    """Return the rules of WCAG 2.1 A and AA that the open page breaks, as far as axe knows."""
    browser.execute_script(_read_axe())
    problems: list[str] = browser.execute_async_script(_RUN_AXE, WCAG)
    return problems


@cache
def _read_axe() -> str:
    found = find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")


class KeyboardUser:
    """User of a page without a mouse."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0]).textContent"
        return str(self.browser.execute_script(script, selector))

    def value(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(f"return {script}", *arguments)

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, "the page did not follow"
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        actions = webdriver.ActionChains(self.browser, duration=0)
        for key in keys:
            if key == ALL:
                actions.key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL)
            else:
                actions.send_keys(key)
        actions.perform()

    def tab_to(self, selector: str) -> None:
        """By Tab alone, as far as it takes; each stop must be seen to have the focus."""
        for _ in range(120):
            if self.value("document.activeElement.matches(arguments[0])", selector):
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert self.value(outline) == "solid", "the focus is visible"
                return
            self.press(Keys.TAB)
        raise AssertionError(f"no Tab leads to {selector}")
