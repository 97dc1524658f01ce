"""The built site in a real browser: phone and desktop, light and dark, search, and the keyboard."""

from __future__ import annotations

import functools
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.docs.built_site import SITE, other_language, read_pages, require_site
from tests.support.browser import find_axe_problems, set_scheme, set_screen, start_browser

# After the import that skips without selenium.
from selenium.webdriver.common.by import By  # isort: skip
from selenium.webdriver.common.keys import Keys  # isort: skip

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES = {"light": "default", "dark": "slate"}
# A page of each kind, in turns English and Chinese. "*" is the first page of a section.
KINDS = [
    "latest/",
    "latest/zh/",
    "latest/zh/tutorial/*",
    "latest/how-to/*",
    "latest/zh/explanation/*",
    "latest/reference/client/",
    "latest/zh/reference/fields/",
    "latest/reference/command/",
    "latest/zh/reference/http/",
    "latest/zh/errors/",
    "latest/errors/1021/",
    "latest/trust/benchmarks/",
    "latest/zh/trust/promises/",
]
SEARCHES = [
    ("latest/", "-1021", "errors/1021/"),
    ("latest/", "recv_window", "reference/options/#recv_window"),
    (
        "latest/",
        "max_withdraw_amount",
        "reference/values/#binance_usdm.AccountBalance.max_withdraw_amount",
    ),
    (
        "latest/",
        "availble",
        "reference/values/#binance_usdm.AccountBalance.available_balance",
    ),
    ("latest/zh/", "余额", "reference/fields/"),
    ("latest/zh/", "错误代码", "errors/"),
    ("latest/zh/", "签名", "reference/extending/"),
    ("latest/zh/", "联合保证金", "reference/fields/#marginAvailable"),
]
RESULTS = """
const roots = [...document.querySelectorAll("*")].map(each => each.shadowRoot).filter(Boolean);
return roots.flatMap(root => [...root.querySelectorAll("li a[href]")].map(link => link.href));
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class Visitor:
    """Reader of the site with a browser."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser, self.url = browser, url

    def open(self, path: str, size: str = "desktop", scheme: str = "light") -> None:
        set_screen(self.browser, *SIZES[size])
        set_scheme(self.browser, scheme)
        self.browser.get(self.url + path)
        shown = "document.body.dataset.mdColorScheme"
        self.until(lambda: self.value(f"{shown} || null"))
        # A new page can get the emulated scheme from Chromium after its scripts ran.
        for _ in range(5):
            if self.value(shown) == SCHEMES[scheme]:
                break
            self.browser.refresh()
            self.until(lambda: self.value(f"{shown} || null"))
        assert self.value(shown) == SCHEMES[scheme], (path, size)

    def value(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def until(self, holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + 60
        while not (value := holds()):
            assert time.monotonic() < end, "the page did not follow"
            time.sleep(0.05)
        return value

    def complaints(self) -> list[str]:
        """Return requests to other hosts, failed requests and messages of the console."""
        found = []
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            parameters = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                address = parameters["request"]["url"]
                if address.startswith(("http", "ws")) and not address.startswith(self.url):
                    found.append(f"request to {address}")
            elif message["method"] == "Network.responseReceived":
                response = parameters["response"]
                found += [f"no response from {response['url']}"] * (response["status"] >= 400)
        console = self.browser.get_log("browser")
        return found + [each["message"] for each in console if each["level"] != "INFO"]


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    require_site()
    handler = functools.partial(QuietHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with start_browser() as browser:
                browser.set_script_timeout(60)
                # The theme keeps its first scheme in the storage. A page that is left can still
                # write to it, so that it is cleared before the scripts of the next page run.
                script = {"source": "localStorage.clear()"}
                browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
                yield Visitor(browser, f"http://127.0.0.1:{server.server_port}/")
        finally:
            server.shutdown()
            thread.join()


def resolve_kind(kind: str) -> str:
    """Return the path of the page that stands for a kind."""
    section = kind.removesuffix("*")
    return kind if section == kind else min(path for path in read_pages() if section in path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_fits_its_reader(kind: str, visitor: Visitor) -> None:
    """On desktop and phone, light and dark, a page asks no other host, logs no error, is as wide
    as the screen, and breaks no rule of WCAG 2.1 A and AA that axe knows.
    """
    path = resolve_kind(kind)
    for size in SIZES:
        for scheme in SCHEMES:
            visitor.open(path, size, scheme)
            assert visitor.complaints() == []
            room = visitor.value("document.documentElement.clientWidth")
            assert visitor.value("document.documentElement.scrollWidth") <= room, (size, scheme)
            if (size == "phone") == (scheme == "dark"):
                assert find_axe_problems(visitor.browser) == [], (size, scheme)


def test_a_bad_page_is_noticed(visitor: Visitor) -> None:
    """A request to another host, an error, a wide box and a low contrast are found."""
    visitor.open("latest/")
    assert visitor.complaints() == []
    visitor.browser.execute_script(
        "const image = new Image(); image.src = 'http://localhost:1/x.png'; image.alt = '';"
        "console.error('planted');"
        "const text = document.createElement('p'); text.textContent = 'pale';"
        "text.style = 'color: #ddd; background: #fff';"
        "const wide = document.createElement('div'); wide.style = 'height: 1px; width: 3000px';"
        "document.querySelector('article').append(image, text);"
        "document.body.append(wide);"
    )
    seen: list[str] = []

    def all_are_seen() -> bool:
        seen.extend(visitor.complaints())
        return all(
            any(text in each for each in seen)
            for text in ("request to http://localhost:1/", "planted", "ERR_UNSAFE_PORT")
        )

    visitor.until(all_are_seen)
    room = visitor.value("document.documentElement.clientWidth")
    assert visitor.value("document.documentElement.scrollWidth") > room
    found = find_axe_problems(visitor.browser)
    assert [each.partition(":")[0] for each in found] == ["color-contrast"]


@pytest.mark.parametrize(("home", "word", "expected"), SEARCHES, ids=lambda value: value)
def test_the_search_finds(home: str, word: str, expected: str, visitor: Visitor) -> None:
    """By keyboard alone, the entry is among the first five results."""
    visitor.open(home)
    body = visitor.browser.find_element(By.TAG_NAME, "body")

    def open_dialog() -> bool:
        if visitor.value("document.activeElement.shadowRoot !== null"):
            return True
        body.send_keys(Keys.CONTROL, "k")
        return False

    visitor.until(open_dialog)
    visitor.browser.switch_to.active_element.send_keys(word)
    addresses = visitor.until(lambda: visitor.browser.execute_script(RESULTS))
    places = [address.removeprefix(visitor.url + home).partition("?") for address in addresses]
    found = [path + query.partition("#")[1] + query.partition("#")[2] for path, _, query in places]
    assert expected in [each.removesuffix("#") for each in found[:5]]
    assert visitor.complaints() == []


def is_at(visitor: Visitor, address: str) -> bool:
    return bool(visitor.browser.current_url == address)


@pytest.mark.parametrize("path", ["latest/errors/1021/", "latest/zh/reference/fields/"])
def test_the_switch_stays_on_the_page(path: str, visitor: Visitor) -> None:
    """It leads to the same page in the other language, and back."""
    visitor.open(path)
    for expected in other_language(path), path:
        visitor.browser.find_element(By.CSS_SELECTOR, "a.site-language").click()
        there = visitor.url + expected
        visitor.until(functools.partial(is_at, visitor, there))


@pytest.mark.parametrize("home", ["latest/", "latest/zh/"])
def test_the_keyboard_comes_to_the_skip_link_first(home: str, visitor: Visitor) -> None:
    """Enter on it goes on behind the navigation."""
    visitor.open(home)
    visitor.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = visitor.browser.switch_to.active_element
    assert "md-skip" in first.get_attribute("class").split()
    first.send_keys(Keys.ENTER)
    visitor.until(lambda: visitor.value("document.activeElement.id") == "__skip")


def test_a_wide_block_is_reached_by_the_keyboard(visitor: Visitor) -> None:
    """What scrolls sideways is a stop of the tab key."""
    visitor.open("latest/reference/command/", "phone")
    blocks = visitor.until(
        lambda: visitor.value(
            "[...document.querySelectorAll('pre > code')]"
            ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.tabIndex)"
        )
    )
    assert set(blocks) == {0}
