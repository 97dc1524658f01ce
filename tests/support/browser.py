"""Start headless Chromium; importing this module skips the tests of a machine without selenium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

if not os.environ.get("USDM_REQUIRE_BROWSER"):  # then nothing may be left out
    pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service


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
