"""The HTTP page in a real browser: it signs, the mock verifies, and nothing goes elsewhere."""

from __future__ import annotations

import copy
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

import pytest

from binance_usdm.mock import DEFAULT_API_KEY, DEFAULT_API_SECRET, Exchange, row, running
from binance_usdm.mock.admin.assets import read_asset
from binance_usdm.mock.admin.http_page import render_http_page
from binance_usdm.mock.core.packaged_files import load_packaged_spec
from tests.support.browser import (
    KeyboardUser,
    find_axe_problems,
    set_scheme,
    set_screen,
    start_browser,
)
from tests.support.spec_facts import BALANCE_PATH, BALANCE_WEIGHT, TIME_PATH

# After the import that skips without selenium.
from selenium.webdriver.common.keys import Keys  # isort: skip

SPEC: Final[Any] = load_packaged_spec()
WORDS: Final[Any] = json.loads(read_asset("http_page.json"))
ADDRESSES: Final = {"en": "/__admin/http", "zh": "/__admin/http/zh"}
SIZES: Final = {"desktop": (1280, 900), "phone": (390, 844)}
# axe is slow: each language, size and scheme is among them.
AXE_VIEWS: Final = {
    ("en", "desktop", "light"),
    ("en", "phone", "dark"),
    ("zh", "phone", "light"),
}
AMOUNT: Final = "12345678901234567890.12345678901234567890"
CODES: Final = {
    "late": "-1021",
    "early": "-1021",
    "no-timestamp": "-1102",
    "malformed-timestamp": "-1102",
    "repeated-timestamp": "-1101",
    "zero-window": "-1130",
    "wrong-secret": "-1022",
    "signature-first": "-1022",
    "no-signature": "-1102",
    "no-key": "-2014",
    "unknown-key": "-2015",
    "unknown-parameter": "-1104",
    "unknown-path": "-5000",
}
SMALL_TARGETS: Final = """[...document.querySelectorAll("a, button, input, select, summary")]
  .filter((each) => each.checkVisibility() && !each.matches(".skip"))
  .map((each) => [each.outerHTML, each.getBoundingClientRect()])
  .filter(([, {width, height}]) => width < 24 || height < 24).map(([html]) => html)"""


class Page(KeyboardUser):
    """HTTP page and who uses it."""

    def __init__(self, browser: Any, url: str) -> None:
        super().__init__(browser)
        self.url = url

    def open(self, language: str = "en", url: str = "") -> None:
        set_screen(self.browser, *SIZES["desktop"])
        set_scheme(self.browser, "light")
        self.browser.get((url or self.url) + ADDRESSES[language])

    def send(self, form: str = "#balance", mistake: str = "") -> str:
        """Choose a mistake, press the button, and return the verdict."""
        self.browser.execute_script(
            "const [section, mistake] = arguments;"
            "document.querySelector(`${section} select[name=mistake]`).value = mistake;"
            "document.querySelector(`${section} button.main`).click();",
            form,
            mistake,
        )
        waiting = {WORDS[language]["sending"] for language in WORDS}
        verdict: list[str] = []

        def has_answer() -> bool:
            verdict[:] = [self.text(f"{form} .verdict")]
            return verdict[0] not in waiting

        self.until(has_answer)
        return verdict[0]

    def slot(self, name: str, form: str = "#balance") -> str:
        return self.text(f"{form} .outcome [data-slot={name}]")

    def fill(self, selector: str, text: str) -> None:
        script = "document.querySelector(arguments[0]).value = arguments[1]"
        self.browser.execute_script(script, selector, text)

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last call: address and headers."""
        entries = [json.loads(each["message"])["message"] for each in self.log("performance")]
        sent = [each["params"] for each in entries if each["method"] == "Network.requestWillBeSent"]
        return [each["request"] for each in sent if each["request"]["url"].startswith("http")]

    def log(self, name: str) -> list[dict[str, Any]]:
        # Not by selenium, which logs what it returns, and these are signed addresses.
        address = f"{self.browser.service.service_url}/session/{self.browser.session_id}/se/log"
        body = json.dumps({"type": name}).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
            entries: list[dict[str, Any]] = json.load(response)["value"]
        return entries


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with start_browser() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Exchange, str]]:
    exchange = Exchange()
    with running(exchange, admin=True) as url:
        yield exchange, url


@pytest.fixture
def exchange(served: tuple[Exchange, str]) -> Exchange:
    served[0].reset()
    return served[0]


@pytest.fixture
def page(browser: Any, served: tuple[Exchange, str], exchange: Exchange) -> Iterator[Page]:
    page = Page(browser, served[1])
    page.log("browser")
    page.requests()
    yield page
    # The browser itself notes every error response.
    problems = [entry["message"] for entry in page.log("browser") if entry["source"] != "network"]
    assert problems == [], "no error, and nothing that the policy had to stop"


def test_the_mock_verifies_what_the_page_signs(page: Page, exchange: Exchange) -> None:
    """Every digit is shown as it was sent, with the signed query and the used weight."""
    rows = [row("USDT", balance=AMOUNT), row("币安", balance="-0.00000001")]
    exchange.seed("balance", rows)
    page.open()
    page.fill("#balance input[name=recvWindow]", "4000")
    assert page.send() == "HTTP 200"
    shown = page.slot("body")
    assert f'\n    "balance": "{AMOUNT}",\n' in shown
    assert json.loads(shown) == json.loads(exchange.requests[0].response_body)
    (request,) = exchange.requests
    assert request.refusal == ""
    assert exchange.requests[0].signed_payload is not None
    assert page.slot("payload") == exchange.requests[0].signed_payload.decode()
    assert re.fullmatch(r"recvWindow=4000&timestamp=\d{13}", page.slot("payload"))
    assert re.search(rf"X-MBX-USED-WEIGHT-1M ?{BALANCE_WEIGHT}\b", page.slot("headers"))
    assert page.slot("key") == f"X-MBX-APIKEY: {DEFAULT_API_KEY}"
    # Numbers that JavaScript would round, and bodies that are not JSON.
    for body in (f'{{"number":{AMOUNT}0,"more":1.0}}', f"{AMOUNT}00 &amp; <b>text</b>"):
        exchange.seed("balance", body.encode())
        assert page.send() == "HTTP 200"
        assert re.sub(r"\n *|(?<=:) ", "", page.slot("body")) == body


def test_no_whole_signature_and_no_secret_is_shown(page: Page, exchange: Exchange) -> None:
    """Six characters are enough to compare; the log of the mock has no secret."""
    page.open()
    page.send()
    (request,) = exchange.requests
    signature = request.raw_query.decode().rpartition("signature=")[2]
    assert len(signature) == 64
    assert page.slot("signature") == f"{signature[:6]}…"
    assert page.slot("query").endswith(f"&signature={signature[:6]}…")
    visible = "document.body.innerText"
    assert page.value(f"{visible}.includes(arguments[0])", signature[:6])
    assert not page.value(f"{visible}.includes(arguments[0])", signature[:7])
    # Compared in the browser, since selenium logs what is passed to it.
    assert not page.value(f"{visible}.includes(document.body.dataset.apiSecret)")
    assert DEFAULT_API_SECRET not in repr([vars_of(logged) for logged in exchange.requests])
    sent = json.dumps(page.requests())
    assert signature in sent
    assert DEFAULT_API_SECRET not in sent


def vars_of(logged: Any) -> dict[str, Any]:
    return {name: getattr(logged, name) for name in dir(logged) if not name.startswith("__")}


@pytest.mark.parametrize("language", ADDRESSES)
def test_each_mistake_gives_its_code(page: Page, exchange: Exchange, language: str) -> None:
    """The entry of the code is shown beside the response: meaning and hint of the spec."""
    page.open(language)
    suffix = "" if language == "en" else "-zh"
    for mistake, code in CODES.items():
        verdict = page.send(mistake=mistake)
        status = exchange.requests[-1].status
        assert verdict == f"HTTP {status}, {code}", mistake
        assert json.loads(page.slot("body"))["code"] == int(code)
        error = SPEC["x-error-codes"][code]
        for key in ("meaning", "hint"):
            text = error[f"x-{key}{suffix}" if suffix else key]
            assert text[1:] in page.slot("explanation"), mistake
    assert len(exchange.requests) == len(CODES)
    assert page.send() == "HTTP 200"
    assert page.slot("explanation") == ""


def test_public_operations_are_sent_without_a_key(page: Page, exchange: Exchange) -> None:
    page.open()
    assert page.send("#server_time") == "HTTP 200"
    assert json.loads(page.slot("body", "#server_time"))["serverTime"] > 1_700_000_000_000
    assert page.value("document.querySelector('#server_time [data-slot=signing]')") is None
    (request,) = (each for each in page.requests() if "/fapi/" in each["url"])
    assert "X-MBX-APIKEY" not in request["headers"]
    assert page.send("#server_time", "unknown-parameter") == "HTTP 400, -1104"


def test_errors_without_a_code_are_explained_by_status(page: Page, exchange: Exchange) -> None:
    """The page of a firewall is shown as text; a cut response is no response."""
    page.open()
    exchange.fail("waf")
    assert page.send() == "HTTP 403"
    firewall = SPEC["components"]["responses"]["Firewall"]["description"]
    assert firewall.split(" [")[0] in page.slot("explanation")
    assert page.slot("body").startswith("<")
    exchange.fail("rate-limited")
    assert page.send() == "HTTP 429, -1003"
    assert "Retry-After" in page.slot("headers")
    for fault in ("cut", "redirect"):
        # A browser may try once more.
        exchange.fail(fault, times=2)
        assert page.send() == WORDS["en"]["unreachable"]
        assert page.text("#balance .outcome") == ""
        exchange.recover()


def shell_variables(url: str) -> dict[str, str]:
    names = ("BINANCE_API_KEY", "BINANCE_API_SECRET", "BINANCE_BASE_URL")
    return {
        **os.environ,
        **dict(zip(names, (DEFAULT_API_KEY, DEFAULT_API_SECRET, url), strict=True)),
    }


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="no curl")
def test_the_lines_for_a_shell_do_the_same(page: Page, exchange: Exchange) -> None:
    """They sign again: the mock accepts them, or finds the same mistake."""
    page.open()
    page.fill("#balance input[name=recvWindow]", "60000")
    for mistake, code in {"": None, **CODES}.items():
        page.send(mistake=mistake)
        lines = page.slot("curl")
        assert not re.search(r"[0-9a-f]{10}", lines)
        assert DEFAULT_API_SECRET not in lines
        ended = subprocess.run(
            ["sh", "-c", lines],
            env=shell_variables(page.url),
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(ended.stdout)
        assert (answer["code"] if code else answer[0]["asset"]) == (int(code) if code else "USDT")


def test_the_lines_can_be_copied(page: Page) -> None:
    page.open()
    page.send()
    page.browser.execute_script(
        "window.copied = []; navigator.clipboard.writeText = async (words) => copied.push(words)"
    )
    page.tab_to("#balance .copy")
    page.press(Keys.SPACE)
    page.until(lambda: page.text("#balance .copy") == WORDS["en"]["copied"])
    assert page.value("copied") == [page.slot("curl")]


def test_values_of_a_new_operation_are_encoded(browser: Any) -> None:
    """A POST with choices and any letters is verified too, in the browser and in a shell."""
    spec = copy.deepcopy(SPEC)
    order = spec["paths"]["/fapi/v1/order"] = {"post": spec["paths"].pop(BALANCE_PATH)["get"]}
    choice = {"type": "string", "enum": ["BUY", "红&$HOME"]}
    order["post"]["parameters"] += [
        {"name": "side", "in": "query", "required": True, "schema": choice},
        {"name": "open", "in": "query", "schema": {"type": "boolean"}},
        {"name": "note", "in": "query", "schema": {"type": "string"}},
    ]
    exchange = Exchange(spec=spec)
    note = "a+b'c'\"$(d)\"`e`!&=%(f)*~币"
    with running(exchange, admin=True) as url:
        page = Page(browser, url)
        page.open()
        page.fill("#balance select[name=side]", "红&$HOME")
        page.fill("#balance select[name=open]", "true")
        page.fill("#balance input[name=note]", note)
        assert page.send() == "HTTP 200", page.slot("payload")
        subprocess.run(
            ["sh", "-c", page.slot("curl")],
            env=shell_variables(url),
            capture_output=True,
            check=True,
        )
    for request in exchange.requests:
        assert (request.method, request.refusal) == ("POST", "")
        values = dict(pair.split("=") for pair in request.raw_query.decode().split("&"))
        assert (unquote_plus(values["side"]), values["open"]) == ("红&$HOME", "true")
        assert unquote_plus(values["note"]) == note
    assert len(exchange.requests) == 2


def test_nothing_is_sent_to_another_address(page: Page, exchange: Exchange) -> None:
    """Whatever path a spec has: the script refuses before it signs."""
    page.open()
    page.requests()
    for path in ("//evil.invalid/x", "http://127.0.0.1:9/x", "https://evil.invalid", "//[::1]:1/"):
        page.browser.execute_script(
            "document.querySelector('#balance form').dataset.path = arguments[0]", path
        )
        assert page.send() == WORDS["en"]["foreign"]
    assert page.requests() == []
    assert not exchange.requests


class Copy(http.server.BaseHTTPRequestHandler):
    """Serves a copy of the page, without a policy."""

    def __init__(self, html: bytes, seen: list[str], *arguments: Any) -> None:
        self.html, self.seen = html, seen
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.html)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def test_a_copy_on_another_host_sends_nothing(page: Page, exchange: Exchange) -> None:
    """A host that is not a loopback name gets nothing, though it is this page's own."""
    seen: list[str] = []
    html = render_http_page(exchange._engine, "en")
    handler = functools.partial(Copy, html, seen)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            # The browser resolves names below localhost to this machine.
            page.open(url=f"http://copy.localhost:{server.server_port}")
            assert page.send() == WORDS["en"]["foreign"]
            # The same copy at a loopback name sends.
            page.open(url=f"http://localhost:{server.server_port}")
            assert page.send() == "HTTP 200"
        finally:
            server.shutdown()
            thread.join()
    assert [path.partition("?")[0] for path in seen] == [ADDRESSES["en"]] * 2 + [BALANCE_PATH]


@pytest.mark.parametrize("language", ADDRESSES)
def test_the_page_fits_its_reader(page: Page, exchange: Exchange, language: str) -> None:
    """On desktop and phone, light and dark, with an error and a response: it is as wide as the
    screen, breaks no rule of WCAG 2.1 A and AA that axe knows, has targets of 24 pixels (WCAG 2.2,
    2.5.8), and asks no other host.
    """
    backgrounds = set()
    page.open(language)
    page.send(mistake="no-key")
    page.send("#server_time")
    page.browser.execute_script(
        "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
    )
    for size, pixels in SIZES.items():
        set_screen(page.browser, *pixels)
        for scheme in ("light", "dark"):
            set_scheme(page.browser, scheme)
            width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert page.value(width), (size, scheme)
            assert page.value(SMALL_TARGETS) == [], (size, scheme)
            backgrounds.add((scheme, page.value("getComputedStyle(document.body).backgroundColor")))
            if (language, size, scheme) in AXE_VIEWS:
                assert find_axe_problems(page.browser) == [], (size, scheme)
    assert len(backgrounds) == len(dict(backgrounds)) == 2, "each scheme has one color"
    assert len({color for _, color in backgrounds}) == 2, "the two differ"
    addresses = {each["url"] for each in page.requests()}
    assert len(addresses) > 2
    assert [each for each in addresses if not each.startswith(f"{page.url}/")] == []
    assert all(logged.path != "/favicon.ico" for logged in exchange.requests)


def test_a_bad_page_is_noticed(page: Page) -> None:
    """A wide box, a low contrast, a small target and a blocked script are found."""
    page.open()
    page.browser.execute_script(
        "const box = document.createElement('div');"
        "box.style.cssText = 'width: 3000px; color: #ddd; background: #fff';"
        "const link = document.createElement('a'); link.href = '#x'; link.textContent = 'x';"
        "box.append('pale', link); document.querySelector('main').append(box);"
        "const script = document.createElement('script'); script.textContent = 'window.bad = 1';"
        "document.body.append(script);"
    )
    width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert not page.value(width)
    assert any('href="#x"' in each for each in page.value(SMALL_TARGETS))
    assert "color-contrast" in [each.partition(":")[0] for each in find_axe_problems(page.browser)]
    assert page.value("window.bad") is None
    assert any("Content Security Policy" in entry["message"] for entry in page.log("browser"))


def test_everything_is_reached_by_keyboard(page: Page, exchange: Exchange) -> None:
    """From the skip link to an error, its entry and the other language."""
    page.open()
    page.tab_to(".skip")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.activeElement.id") == "main")
    page.tab_to(".contents a[href='#balance']")
    page.tab_to("#balance-0")
    page.press("5000")
    page.tab_to("#balance select[name=mistake]")
    page.press("secret")
    page.tab_to("#balance button.main")
    page.press(Keys.SPACE)
    page.until(lambda: page.text("#balance .verdict") == "HTTP 400, -1022")
    assert page.value("document.querySelector('#balance .verdict').role") == "status"
    page.tab_to("#balance .outcome pre[data-slot=body]")
    page.tab_to("#balance details summary")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.querySelector('#balance details').open"))
    page.tab_to("#errors summary")
    page.browser.execute_script("document.activeElement.blur()")
    page.tab_to("header a[hreflang=zh-CN]")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("document.documentElement.lang") == "zh-CN")
    assert page.value("document.title") == WORDS["zh"]["title"]


def test_the_admin_page_leads_here(page: Page) -> None:
    page.browser.get(f"{page.url}/__admin/")
    page.tab_to("header a")
    page.press(Keys.ENTER)
    page.until(lambda: page.value("location.pathname") == ADDRESSES["en"])


def test_a_mock_with_another_secret_sends_public_requests(browser: Any) -> None:
    exchange = Exchange(api_secret="could-be-a-real-secret")
    with running(exchange, admin=True) as url:
        page = Page(browser, url)
        page.open()
        assert page.value("document.querySelector('#balance button.main').disabled")
        page.tab_to("#balance-0")
        page.press(Keys.ENTER)
        assert page.send("#server_time") == "HTTP 200"
        assert page.text("#balance .verdict") == WORDS["en"]["nothing_sent"]
    assert [request.path for request in exchange.requests] == [TIME_PATH]
