"""A proxy for the commands: the option, the variable, and what `doctor` finds."""

import base64
import json
from collections.abc import Iterator

import pytest

from binance_usdm.mock import Exchange
from tests.cli.test_doctor import answering
from tests.support.command_line import Finished, run
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

KEY, SECRET, PASSWORD = "ProxyKey".ljust(64, "k"), "ProxySecret".ljust(64, "s"), "p@ss/Canary31415"
LOGIN = "user:p%40ss%2FCanary31415"
NOWHERE = "http://127.0.0.1:9"
"""Base URL of the exchange behind the proxy. Nothing else leads there."""


class FakeProxy:
    """A proxy that responds for the exchange behind it."""

    def __init__(self, exchange: Exchange) -> None:
        self.heads: list[bytes] = []
        self.response = b"HTTP/1.1 200 OK\r\n\r\n"
        self._exchange = answering(exchange)

    def answer(self, head: bytes) -> bytes:
        if head.startswith(b"CONNECT "):
            self.heads.append(head)
            return self.response
        return self._exchange(head)


@pytest.fixture
def proxy() -> FakeProxy:
    return FakeProxy(Exchange(api_key=KEY, api_secret=SECRET))


@pytest.fixture
def url(proxy: FakeProxy) -> Iterator[str]:
    with RawServer(repeat(READ, proxy.answer)) as server:
        yield server.url.replace("http://", f"http://{LOGIN}@")


def run_behind(*arguments: str, **environment: str) -> Finished:
    """Run a command and check that no output has the password."""
    finished = run(
        *arguments,
        **{
            "BINANCE_API_KEY": KEY,
            "BINANCE_API_SECRET": SECRET,
            "BINANCE_BASE_URL": NOWHERE,
            **environment,
        },
    )
    shown = finished.stdout + finished.stderr
    for text in (PASSWORD, "Canary31415", base64.b64encode(f"user:{PASSWORD}".encode()).decode()):
        assert text not in shown
    return finished


@pytest.mark.parametrize("command", ["balance", "server-time", "doctor"])
@pytest.mark.parametrize("is_option", [True, False])
def test_commands_use_the_proxy(proxy: FakeProxy, url: str, command: str, is_option: bool) -> None:
    """The option and the variable lead each command through the proxy, with its password."""
    if is_option:
        finished = run_behind(command, "--proxy", url, BINANCE_PROXY="http://127.0.0.1:1")
    else:
        finished = run_behind(command, BINANCE_PROXY=url)
    assert (finished.returncode, finished.stderr) == (0, "")
    login = base64.b64encode(f"user:{PASSWORD}".encode())
    assert proxy.heads[0].startswith(b"CONNECT 127.0.0.1:9 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + login + b"\r\n" in proxy.heads[0]
    if command == "doctor":
        source = "--proxy" if is_option else "BINANCE_PROXY"
        assert f"the exchange responds, through the proxy of {source}" in finished.stdout


@pytest.mark.parametrize(
    "url",
    [f"http://user:{PASSWORD}@h:1", "https://h:1", "h:1", "http://h:0", "socks5://h", "http://h/x"],
)
@pytest.mark.parametrize("command", ["balance", "server-time", "doctor"])
def test_an_invalid_proxy_is_explained(command: str, url: str) -> None:
    """An invalid proxy is wrong usage or a problem of the variable; @ in it is explained."""
    option = run_behind(command, "--proxy", url)
    assert (option.returncode, option.stdout) == (2, "")
    assert "argument --proxy: proxy must look like http://[user:pass@]host" in option.stderr
    assert "@ in a login written as %40" in option.stderr
    variable = run_behind(command, BINANCE_PROXY=url)
    assert variable.returncode == 1
    text = variable.stdout if command == "doctor" else variable.stderr
    assert "BINANCE_PROXY must look like http://[user:pass@]host[:port]" in text
    assert "@ in a login written as %40" in " ".join(text.split())


def test_an_empty_variable_is_no_proxy(proxy: FakeProxy) -> None:
    """An empty BINANCE_PROXY counts as not set."""
    with RawServer(repeat(READ, proxy.answer)) as server:
        finished = run_behind("balance", BINANCE_BASE_URL=server.url, BINANCE_PROXY="")
    assert (finished.returncode, proxy.heads) == (0, [])


def test_a_distant_proxy_needs_tls() -> None:
    """A proxy elsewhere is not used for http, since it would see the key."""
    for command in ("balance", "server-time", "doctor"):
        finished = run_behind(command, BINANCE_PROXY="http://proxy.example:3128")
        assert finished.returncode == 1
        assert "BINANCE_PROXY must be on this machine" in finished.stdout + finished.stderr


def test_an_unsigned_call_names_the_variable() -> None:
    """An invalid base URL from the environment is named by its variable without a key, too."""
    finished = run_behind("server-time", BINANCE_BASE_URL="nonsense")
    assert finished.stderr.startswith(
        "binance-usdm: ConfigurationError: BINANCE_BASE_URL must look like"
    )


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (response_bytes(status="407 X"), "the proxy responded with status 407"),
        (response_bytes(status="407 X"), "with @ in the password written as %40"),
        (response_bytes(status="403 X"), "The proxy does not allow this host and port"),
        (b"SSH-2.0-x\r\n\r\n", "the proxy's response is not valid"),
    ],
)
def test_doctor_explains_the_proxy(
    proxy: FakeProxy, url: str, response: bytes, expected: str
) -> None:
    """A proxy that rejects the tunnel is the cause that is named, with what to do."""
    proxy.response = response
    report = json.loads(run_behind("doctor", "--json", BINANCE_PROXY=url).stdout)
    finding = report["findings"][2]
    assert (finding["check"], finding["verdict"]) == ("reachable", "problem")
    assert finding["summary"].startswith("opening the tunnel failed: the proxy")
    assert expected in f"{finding['summary']} {finding['advice']}"
    assert finding["facts"]["proxy_from"] == "BINANCE_PROXY"


def test_doctor_recommends_what_exists() -> None:
    """For a proxy of other programs doctor names the variable and the option of this command."""
    finished = run_behind("doctor", "--timeout", "1", HTTPS_PROXY=f"http://{LOGIN}@127.0.0.1:3128")
    text = " ".join(finished.stdout.split())
    assert "HTTPS_PROXY is not used: set BINANCE_PROXY or --proxy" in text
    used = run_behind(
        "doctor",
        "--timeout",
        "1",
        HTTPS_PROXY="http://127.0.0.1:1",
        BINANCE_PROXY="http://127.0.0.1:1",
    )
    assert "connecting to the proxy failed: nothing listens there" in used.stdout
    assert "HTTPS_PROXY" not in used.stdout


@pytest.mark.parametrize("command", ["balance", "server-time", "doctor"])
def test_help_warns_of_visible_passwords(command: str) -> None:
    """The help of --proxy says that the variable is safer for a password."""
    text = " ".join(run(command, "--help").stdout.split())
    assert "other users of this machine can see a password here, but not in BINANCE_PROXY" in text
