"""The option `allow_http_hosts`: plain http to a named test host, and never to the exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import binance_usdm_wire
from binance_usdm import AsyncClient, Client, ConfigurationError
from tests.support.clients import KEY, SECRET
from tests.support.command_line import run
from tests.support.spec_facts import TIME_PATH

SPEC = json.loads(Path(binance_usdm_wire.__file__).with_name("openapi.json").read_bytes())
EXCHANGE_HOSTS = [
    str(urlsplit(server["url"]).hostname)
    for server in SPEC["servers"]
    if server["x-environment"] != "mock"
]
CLIENTS = pytest.mark.parametrize("client_class", [Client, AsyncClient])


@CLIENTS
@pytest.mark.parametrize(
    ("base_url", "hosts"),
    [
        ("http://mock:8787", ("mock",)),
        ("http://MOCK", ["other", "Mock"]),
        ("http://host.docker.internal:8787/prefix", {"host.docker.internal"}),
        ("http://192.168.1.5:1", ("192.168.1.5",)),
        ("http://[fd00::5]:1", ("fd00:0:0::5",)),
        ("http://[FD00::5]:1", ("[fd00::5]",)),
        ("http://binance.com.test", ("binance.com.test",)),
    ],
)
@pytest.mark.promise("S11")
def test_a_named_host_may_use_http(client_class: Any, base_url: str, hosts: Any) -> None:
    """A base URL may be http for a host that the option names, and for no other host."""
    client = client_class(KEY, SECRET, base_url=base_url, allow_http_hosts=hosts)
    assert base_url.lower().removeprefix("http://") in repr(client).lower()
    for others in ((), ("mock2", "ock", "x.mock", "docker.internal", "192.168.1.50")):
        with pytest.raises(ConfigurationError, match=r'allow_http_hosts=\("mock",\)'):
            client_class(KEY, SECRET, base_url=base_url, allow_http_hosts=others)


@CLIENTS
@pytest.mark.parametrize(
    "host",
    [
        *EXCHANGE_HOSTS,
        *("binance.com", "BINANCE.COM", "api.binance.com", "a.b.binance.com"),
        *("binancefuture.com", "testnet.binancefuture.com"),
    ],
)
@pytest.mark.promise("S11")
def test_http_to_the_exchange_stays_forbidden(client_class: Any, host: str) -> None:
    """No host of the exchange can be allowed, nor its domain and subdomains."""
    for base_url in (f"http://{host}", f"http://{host}:8080", "http://mock", "https://mock"):
        with pytest.raises(ConfigurationError, match="allow_http_hosts must not have a host"):
            client_class(KEY, SECRET, base_url=base_url, allow_http_hosts=("mock", host))
    with pytest.raises(ConfigurationError, match="base_url must be https"):
        client_class(KEY, SECRET, base_url=f"http://{host}", allow_http_hosts=("mock", "com"))


@pytest.mark.parametrize(
    "hosts",
    [
        *(("",), ("mock", ""), (" ",), ("*",), ("*.test",), (".test",), ("mock:8787",)),
        *(("http://mock",), ("mock/",), ("mock.",), ("mock ",), ("user@mock",), ("1.2.3.999",)),
        *(("fapi。binance。com",), ("a" * 64,), (b"mock",), (None,), ("fe80::1%eth0/",)),
        *("mock", b"mock", None, True, {"mock": True}, iter(["mock"])),
    ],
)
def test_hosts_are_whole_names(hosts: Any) -> None:
    """Wildcards, empty entries, ports, schemes and a single string are rejected."""
    with pytest.raises(ConfigurationError, match=r"^allow_http_hosts must (have|be)"):
        Client(KEY, SECRET, base_url="http://mock:8787", allow_http_hosts=hosts)


def test_hosts_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """BINANCE_ALLOW_HTTP_HOSTS has the hosts for `from_env`; a bad entry names the variable."""
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)
    monkeypatch.setenv("BINANCE_BASE_URL", "http://mock:8787")
    with pytest.raises(
        ConfigurationError, match=r"^BINANCE_BASE_URL .* set BINANCE_ALLOW_HTTP_HOSTS=mock$"
    ):
        Client.from_env()
    monkeypatch.setenv("BINANCE_ALLOW_HTTP_HOSTS", "other, mock")
    assert "http://mock:8787" in repr(Client.from_env())
    with pytest.raises(ConfigurationError, match="must be https"):
        Client.from_env(allow_http_hosts=())
    for hosts in ("mock,", ",mock", "*", "mock:8787", "mock,fapi.binance.com"):
        monkeypatch.setenv("BINANCE_ALLOW_HTTP_HOSTS", hosts)
        with pytest.raises(ConfigurationError, match=r"^BINANCE_ALLOW_HTTP_HOSTS must"):
            Client.from_env()


@pytest.mark.parametrize("base_url", [(), ("--base-url", "http://mock.invalid:1")])
@pytest.mark.parametrize("command", ["balance", "server-time", "doctor"])
def test_commands_use_the_allowed_hosts(command: str, base_url: tuple[str, ...]) -> None:
    """All commands accept http to a host that the environment allows."""
    variables = {
        "BINANCE_API_KEY": KEY,
        "BINANCE_API_SECRET": SECRET,
        "BINANCE_BASE_URL": "http://mock.invalid:1",
    }
    arguments = (command, *base_url, "--timeout", "0.2")
    rejected = run(*arguments, **variables)
    assert "BINANCE_ALLOW_HTTP_HOSTS=mock" in rejected.stdout + rejected.stderr
    done = run(*arguments, **variables, BINANCE_ALLOW_HTTP_HOSTS="mock.invalid")
    assert "must be https" not in done.stdout + done.stderr
    assert "mock.invalid" in done.stdout + done.stderr or "DNS" in done.stdout + done.stderr


def test_an_allowed_host_gets_the_request() -> None:
    """A request to an allowed host is sent to it, with its Host header."""
    received: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(200, json={"serverTime": 1})

    transport = httpx.MockTransport(respond)
    hosts = ("mock",)
    with Client(base_url="http://mock:8787", allow_http_hosts=hosts, transport=transport) as client:
        client.server_time()
    assert str(received[0].url) == f"http://mock:8787{TIME_PATH}"
