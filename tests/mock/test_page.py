"""Test the admin page in a real browser: keyboard, phone, hostile requests, no foreign content."""

from __future__ import annotations

import hmac
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from binance_usdm.mock import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    FAULTS,
    Exchange,
    ManualClock,
    Reply,
    row,
    running,
)
from tests.support.browser import ALL, KeyboardUser, set_scheme, set_screen, start_browser
from tests.support.spec_facts import BALANCE_PATH, TIME_PATH

# After the import that skips without selenium.
from selenium.webdriver.common.keys import Keys  # isort: skip

T0 = 1_700_000_000_000
HOSTILE = "/fapi/<img/src=x/onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with start_browser() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange(clock=ManualClock(T0))
    with running(exchange, admin=True) as url:
        yield exchange, url


def sign_balance(exchange: Exchange) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return target and headers of a valid signed request."""
    query = f"timestamp={exchange.clock()}".encode()
    signature = hmac.new(DEFAULT_API_SECRET.encode(), query, "sha256").hexdigest().encode()
    headers = [(b"X-MBX-APIKEY", DEFAULT_API_KEY.encode())]
    return (BALANCE_PATH.encode() + b"?") + query + b"&signature=" + signature, headers


class Page(KeyboardUser):
    """Admin page, used without a mouse."""

    def __init__(self, browser: Any, exchange: Exchange, url: str) -> None:
        super().__init__(browser)
        self.exchange, self.url = exchange, url

    def open(self, width: int = 1280, height: int = 800) -> None:
        set_screen(self.browser, width, height)
        self.browser.get(f"{self.url}/__admin/")
        self.until(lambda: self.text("#live") == "live")

    def ask(self, target: str = f"{BALANCE_PATH}?recvWindow=1&signature=abcdefghijkl") -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("Host", "x")
        connection.putheader("X-MBX-APIKEY", self.exchange.api_key)
        connection.endheaders()
        connection.getresponse().read()
        connection.close()


@pytest.fixture
def page(browser: Any, served: tuple[Exchange, str]) -> Iterator[Page]:
    served[0].reset()
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    page = Page(browser, *served)
    page.open()
    yield page
    assert [entry["message"] for entry in browser.get_log("browser")] == [], (
        "no error, and nothing that the policy had to stop"
    )


def test_a_fault_can_be_queued_by_keyboard(page: Page) -> None:
    page.tab_to("#fault")
    for _ in range(list(FAULTS).index("banned")):
        page.press(Keys.ARROW_DOWN)
    assert page.text("#about") == FAULTS["banned"].description
    page.press("latency")
    assert page.text("#about") == FAULTS["latency"].description
    page.tab_to("#options input[name=seconds]")
    page.press(ALL, "0.25")
    page.tab_to("#forever")
    page.press(Keys.SPACE)
    page.tab_to("#fault-form summary")
    page.press(Keys.ENTER)
    page.tab_to("#operation")
    page.press("balance")
    page.tab_to("#fault-form button")
    page.press(Keys.ENTER)
    page.until(lambda: [*page.exchange._engine.fault_queue])
    (queued,) = page.exchange._engine.fault_queue
    assert (queued.name, queued.times, queued.operation) == ("latency", None, "balance")
    assert queued.options == {"seconds": 0.25, "jitter": 0}
    page.until(lambda: "latencyevery time, balance, seconds 0.25" in page.text("#queue"))
    page.tab_to("#clear")
    page.press(Keys.SPACE)
    page.until(lambda: not [*page.exchange._engine.fault_queue])


def test_the_clock_can_be_frozen_and_moved_by_keyboard(page: Page) -> None:
    page.tab_to("#freeze")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.activeElement.getAttribute('aria-pressed')") == "true")
    assert page.exchange.clock.frozen
    page.tab_to("[data-step='60000']")
    page.press(Keys.SPACE)
    page.until(lambda: page.exchange.clock() == T0 + 60_000)
    page.until(lambda: page.text("#time") == "22:14:20.000")
    page.tab_to("#offset")
    page.press(ALL, "-7", Keys.ENTER)
    page.until(lambda: page.exchange.clock() == T0 - 7)
    page.until(lambda: "-7 ms" in page.text("#clock-state"))


def test_a_ban_and_its_end_by_keyboard(page: Page) -> None:
    page.tab_to("#weight-amount")
    page.press(ALL, "300", Keys.ENTER)
    page.until(lambda: page.value("document.querySelector('progress')?.value") == 300)
    page.tab_to("#ban-seconds")
    page.press(Keys.ENTER)
    page.until(lambda: "banned until 22:15:20" in page.text("#weight"))
    page.tab_to("#recover")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.querySelector('progress')?.value") == 0)


def test_requests_appear_and_open(page: Page) -> None:
    """Requests appear automatically and open by keyboard."""
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 1)
    assert page.text("#news") == "1 new requests, 1 rejected"
    page.browser.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    page.tab_to(".skip")
    page.press(Keys.ENTER)
    page.tab_to("#log summary")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.querySelectorAll('#log .sides p').length") == 2)
    assert page.text("#log .why").startswith("Mandatory parameter 'timestamp' was not sent")
    assert page.value(
        "[...document.querySelectorAll('#log .sides p')].map(each => each.textContent)"
    ) == [
        "recvWindow=1&signature=abcdef…",
        "recvWindow=1",
    ]
    assert page.value(
        "[...document.querySelectorAll('#log mark')].map(each => each.textContent)"
    ) == ["signature=abcdef…"]
    page.ask(TIME_PATH)
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    assert page.value("document.querySelectorAll('#log details[open]').length") == 1, (
        "what is open stays open"
    )
    assert page.value("document.activeElement.matches('#log li:last-child summary')"), (
        "the focus stays where it was"
    )


def test_credentials_can_be_copied(page: Page) -> None:
    """Base URL, key and default secret are shown, each to be copied, and all as exports."""
    page.browser.execute_script(
        "window.copied = []; navigator.clipboard.writeText = async (words) => copied.push(words)"
    )
    page.until(lambda: page.value("document.querySelectorAll('#connect button').length") == 3)
    page.tab_to("#copy-all")
    page.press(Keys.ENTER)
    for label in ("BASE_URL", "API_KEY", "API_SECRET"):
        page.tab_to(f"[aria-label='Copy BINANCE_{label}']")
        page.press(Keys.SPACE)
    page.until(lambda: page.text("#copied") == "Copied.")
    # Compared in the browser, since selenium logs what it returns.
    script = """(() => {
      const secret = document.querySelector("#default-secret").textContent;
      const values = [arguments[0], arguments[1], secret];
      const names = ["BASE_URL", "API_KEY", "API_SECRET"];
      const exports = names.map((name, index) => `export BINANCE_${name}=${values[index]}`);
      return JSON.stringify(copied) === JSON.stringify([exports.join("\\n"), ...values]);
    })()"""
    assert page.value(script, page.url, DEFAULT_API_KEY)
    assert page.value("document.title") == f"Mock exchange :{urlsplit(page.url).port}"


def test_another_secret_is_not_shown(browser: Any) -> None:
    """A secret of the user's choice is not on the page."""
    exchange = Exchange(api_secret="could-be-a-real-secret")
    with running(exchange, admin=True) as url:
        page = Page(browser, exchange, url)
        page.open()
        page.until(lambda: "is not shown" in page.text("#connect"))
        assert page.value("document.querySelectorAll('#connect button').length") == 2
        whole_page = "document.documentElement.outerHTML"
        assert not page.value(f"{whole_page}.includes('could-be-a-real-secret')")


def test_balances_are_set_by_keyboard(page: Page) -> None:
    """Amounts are shown as they are sent, and can be changed, added and removed."""
    page.until(lambda: page.value("document.querySelectorAll('#balances input').length") == 5)
    page.tab_to("[aria-label='balance of USDT']")
    assert page.value("document.activeElement.value") == "122607.35137903"
    page.press(ALL, "5.10", Keys.TAB)

    def rows() -> list[dict[str, Any]]:
        body = page.exchange._engine.state.account.response_bodies.get("balance", b"[]")
        parsed: list[dict[str, Any]] = json.loads(body)
        return parsed

    page.until(lambda: [row["balance"] for row in rows()] == ["5.10"])
    page.tab_to("#new-asset")
    page.press("BNB", Keys.TAB, ALL, "0.1", Keys.ENTER)
    page.until(lambda: [(row["asset"], row["balance"]) for row in rows()][1:] == [("BNB", "0.1")])
    page.tab_to("[aria-label='availableBalance of USDT']")
    page.press(ALL, "1e", Keys.TAB)
    page.until(lambda: "availableBalance" in page.text("#problem"))
    page.until(lambda: page.value("document.querySelectorAll('#balances > li').length") == 2)
    page.tab_to("[aria-label='Remove USDT']")
    page.press(Keys.ENTER)
    page.until(lambda: [row["asset"] for row in rows()] == ["BNB"])
    page.browser.get_log("browser")


def test_balances_of_each_account_are_shown(page: Page) -> None:
    """With several accounts, one is chosen, and its balances are shown."""
    assert page.value("document.querySelector('#account-choice').hidden")
    desk = page.exchange.add_account("desk-key", "fake-secret", balance=b"no rows")
    page.until(lambda: not page.value("document.querySelector('#account-choice').hidden"))
    page.tab_to("#account")
    page.press("Account 2")
    page.until(lambda: "not a list of rows" in page.text("#balances"))
    page.exchange.seed("balance", [row("USDT", account_alias=desk.alias)], "desk-key")
    page.until(lambda: str(desk.alias) in page.text("#balances"))


def test_good_requests_stand_back(page: Page) -> None:
    """A valid request has no badge and no mark; its response is shown as it was sent."""
    page.ask(TIME_PATH)
    page.exchange.handle("GET", *sign_balance(page.exchange))
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    page.browser.execute_script(
        "document.querySelectorAll('#log details').forEach(each => each.open = true)"
    )
    page.until(lambda: page.value("document.querySelectorAll('#log .response').length") == 2)
    assert page.value("document.querySelectorAll('#log .badge, #log mark').length") == 0
    shown = page.value("document.querySelector('#log .response').textContent")
    assert '\n    "balance": "122607.35137903",\n' in shown
    assert json.loads(shown) == json.loads(page.exchange.requests[1].response_body)


def test_what_answered_is_shown(page: Page) -> None:
    """A request that a stub or a custom response answered says so, and not that it was rejected."""
    page.exchange.stub("GET /stub", {})
    page.exchange.fail(Reply(200, body=b"{}"), path="/custom")
    page.ask("/stub")
    page.ask("/custom")
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    assert page.value(
        "[...document.querySelectorAll('#log .badge')].map(each => each.textContent)"
    ) == ["reply", "stub"]
    assert page.value("document.querySelectorAll('#log .reason').length") == 0


def test_reasons_are_whole_and_first_on_phones(page: Page) -> None:
    """On a phone the requests come first, and no reason or path is cut."""
    page.open(390, 844)
    page.ask("/nowhere/" + "segment/" * 30)
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    tops = "[...document.querySelectorAll('main section')].map(each => each.offsetTop)"
    first = "document.querySelector('#requests').offsetTop"
    assert page.value(f"Math.min(...{tops}) === {first}")
    cut = (
        "[...document.querySelectorAll('#log .reason, #log .path')].filter("
        "each => getComputedStyle(each).overflow !== 'visible' || "
        "getComputedStyle(each).whiteSpace === 'nowrap').length"
    )
    assert page.value(cut) == 0
    assert page.value("document.documentElement.scrollWidth") == 390


def test_a_reset_asks_first(page: Page) -> None:
    page.exchange.spend(7)
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 1)
    page.tab_to("#reset")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.querySelector('#sure').open"))
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.value("document.querySelector('#sure').open"))
    assert page.value("document.activeElement.id") == "reset"
    assert page.exchange.requests
    page.press(Keys.ENTER)
    page.tab_to("#sure-yes")
    page.press(Keys.ENTER)
    page.until(lambda: not page.exchange.requests and not page.exchange.used_weight)
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 0)
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 1)


def test_a_scenario_is_saved_and_loaded(page: Page, tmp_path: Path) -> None:
    """The link gives the state as a file; a file replaces the state, and a wrong one says where."""
    link = "document.querySelector('a[download=\"scenario.json\"]')"
    page.exchange.seed("balance", [row("USDT", balance="9007199254740993.00000001")])
    page.ask()
    fetched = f"fetch({link}.href).then((response) => response.text())"
    saved = page.browser.execute_async_script(f"{fetched}.then(arguments[0])")
    assert json.loads(saved) == page.exchange.save_scenario()
    path = tmp_path / "scenario.json"
    path.write_text(saved.replace("9007199254740993", "9007199254740995"), encoding="utf-8")
    page.browser.find_element("css selector", "#scenario").send_keys(str(path))
    page.tab_to("#scenario-form button")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.querySelectorAll('#log > li').length") == 0)
    (body,) = page.exchange._engine.state.account.response_bodies.values()
    assert json.loads(body)[0]["balance"] == "9007199254740995.00000001"
    path.write_text('{"clok": {}}', encoding="utf-8")
    page.browser.find_element("css selector", "#scenario").send_keys(str(path))
    page.tab_to("#scenario-form button")
    page.press(Keys.ENTER)
    page.until(lambda: "did you mean clock?" in page.text("#problem"))
    # The browser notes every 400.
    page.browser.get_log("browser")


def test_a_request_that_was_asked_for_twice_is_shown_once(page: Page) -> None:
    """As when a poll is on its way while the page is brought up to date after a reset."""
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 1)
    page.value("refresh(['requests?after=0&limit=9', showRequests])")
    assert page.value("document.querySelectorAll('#log li').length") == 1


def test_what_is_being_typed_is_left_alone(page: Page) -> None:
    page.browser.execute_script(
        "document.querySelector('#switches').closest('details').open = true"
    )
    page.tab_to("#switch-weight_limit")
    page.press(ALL, "77")
    page.exchange.switches = page.exchange.switches.with_changes(
        {"ban_after": 3, "weight_limit": 99}
    )
    page.until(lambda: page.value("document.querySelector('#switch-ban_after').value") == "3")
    assert page.value("document.activeElement.value") == "77"


def test_a_reset_by_somebody_else_is_followed(page: Page) -> None:
    for _ in range(2):
        page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    page.exchange.reset()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 0)
    page.ask("/after")
    page.until(lambda: "/after" in page.text("#log"))


def test_switches_are_set_and_checked(page: Page) -> None:
    """A switch is set, and an invalid value is explained."""
    page.browser.execute_script(
        "document.querySelector('#switches').closest('details').open = true"
    )
    page.tab_to("#switch-refuse_replay")
    page.press("true")
    page.until(lambda: page.exchange.switches.refuse_replay)
    page.tab_to("#switch-weight_limit")
    page.press(ALL, "0", Keys.TAB)
    page.until(lambda: "weight_limit does not match minimum 1" in page.text("#problem"))
    page.until(lambda: page.value("document.querySelector('#switch-weight_limit').value") == "2400")
    assert not page.value("document.activeElement.matches('#switch-weight_limit')"), (
        "the focus went on"
    )
    assert page.exchange.switches.weight_limit == 2400
    page.browser.get_log("browser")  # the browser notes every answer of 400


def test_what_came_is_shown_as_text_on_a_phone_too(page: Page) -> None:
    page.open(360, 740)
    page.exchange.add_account("<b>K" + "k" * 90, "fake-secret")
    page.ask(HOSTILE + "?<img/src=x>=" + "<i>" * 60 + "&timestamp=1")
    page.ask(
        f"{BALANCE_PATH}?"
        + "x" * 300
        + "&<script>alert(3)</script>=1&signature=<svg/onload=alert(4)>"
    )
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 2)
    page.browser.execute_script(
        "document.querySelectorAll('details').forEach(each => each.open = true)"
    )
    page.until(lambda: page.value("document.querySelectorAll('#log .inside').length") == 2)
    assert HOSTILE in page.text("#log")
    assert (
        page.value(
            "document.querySelectorAll("
            "'#log img, #log script, #log svg, #log i, #accounts b').length"
        )
        == 0
    )
    page.until(lambda: "<b>K" in page.text("#accounts"))
    assert page.value("document.documentElement.scrollWidth") == 360
    too_wide = (
        "[...document.querySelectorAll('main *')]"
        ".filter(each => each.getBoundingClientRect().right > 360.5).length"
    )
    assert page.value(too_wide) == 0


CONTRAST = """(() => {
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const linear = (each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = numbers(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(
      (each) => each.nodeType === 3 && each.textContent.trim());
    if (!own && !element.matches("input, select, textarea")) continue;
    if (!element.checkVisibility() || element.matches("script, style, option")) continue;
    const [one, two] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (contrast < 4.5) poor.push(`${element.tagName} ${element.className} ${contrast.toFixed(2)}`);
  }
  return poor;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(page: Page, scheme: str) -> None:
    set_scheme(page.browser, scheme)
    page.exchange.fail("waf")
    page.exchange.fail("error-500", nth=2)
    page.exchange.ban(60, "10.0.0.1")
    page.exchange.add_account("K", "fake-secret", opened=False)
    page.exchange.clock.drift(5)
    for _ in range(3):
        page.ask()
    page.exchange.clock.freeze()
    page.until(
        lambda: (
            page.value("document.querySelectorAll('#log li').length") == 3
            and "frozen" in page.text("#clock-state")
        )
    )
    page.browser.execute_script(
        "document.querySelectorAll('details').forEach(each => each.open = true)"
    )
    page.until(lambda: page.value("document.querySelectorAll('#log mark').length") == 3)
    page.until(lambda: "not opened" in page.text("#accounts"))
    dark = page.value("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 27)"
    assert dark is (scheme == "dark")
    assert page.value(CONTRAST) == []


def test_controls_are_labeled_and_local(page: Page) -> None:
    """Every control has a name, and nothing is loaded from another host."""
    page.ask()
    page.until(lambda: page.value("document.querySelectorAll('#log li').length") == 1)
    names = (
        "[...document.querySelectorAll('input, select, textarea')]"
        ".map(each => each.ariaLabel || each.labels[0]?.textContent.trim())"
    )
    assert all(page.value(names))
    assert page.value("document.querySelector('link[rel=icon]').href") == "data:,", (
        "a browser with tabs would ask for one"
    )
    assert (
        page.value(
            "[...document.querySelectorAll('button')]"
            ".filter(each => !each.textContent.trim()).length"
        )
        == 0
    )
    loaded = page.value(
        "performance.getEntries().filter(each => each.name.includes('://'))"
        ".map(each => new URL(each.name).host)"
    )
    assert {*loaded} == {urlsplit(page.url).netloc}
    sent = [entry["message"] for entry in page.browser.get_log("performance")]
    assert any(
        "Network.requestWillBeSent" in each and f"{page.url}/__admin/requests" in each
        for each in sent
    )
    started = [
        each
        for each in sent
        if '"Network.requestWillBeSent"' in each
        and page.url not in each
        and '"url":"data:' not in each
    ]
    assert started == []
    assert all(logged.path != "/favicon.ico" for logged in page.exchange.requests)
