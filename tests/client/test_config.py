"""Options of a client: valid ones, and that invalid ones are rejected at once without secrets."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from binance_usdm import (
    DEMO,
    MAINNET,
    AsyncClient,
    AsyncTransport,
    Client,
    ConfigurationError,
    HmacSigner,
    RetryPolicy,
    SyncTransport,
    TransportError,
    UsdmError,
    WeightLimiter,
)
from tests.support.canaries import crash_report
from tests.support.clients import KEY, SECRET, BlockingFacade, RecordingHandler
from tests.support.spec_facts import BALANCE_PATH, HOST_BY_ENVIRONMENT

MAINNET_HOST, DEMO_HOST = HOST_BY_ENVIRONMENT["production"], HOST_BY_ENVIRONMENT["demo"]
ClientOf = Callable[..., BlockingFacade]
CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])


@pytest.mark.promise("S11")
@pytest.mark.parametrize(
    ("base_url", "start", "host"),
    [
        (MAINNET, f"https://{MAINNET_HOST}/", MAINNET_HOST),
        (DEMO, f"https://{DEMO_HOST}/", DEMO_HOST),
        ("https://fapi.binance.com/", "https://fapi.binance.com/", "fapi.binance.com"),
        ("https://FAPI.Binance.com", "https://fapi.binance.com/", "fapi.binance.com"),
        ("https://fapi.binance.com:443", "https://fapi.binance.com/", "fapi.binance.com"),
        (
            "https://gw.example:8443/a/b-c_d~1.2/",
            "https://gw.example:8443/a/b-c_d~1.2/",
            "gw.example:8443",
        ),
        ("https://xn--fiq228c.example", "https://xn--fiq228c.example/", "xn--fiq228c.example"),
        ("https://127.0.0.1.example", "https://127.0.0.1.example/", "127.0.0.1.example"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x/", "[2001:db8::1]:8443"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787/", "127.0.0.1:8787"),
        ("http://127.9.9.9", "http://127.9.9.9/", "127.9.9.9"),
        ("http://[::1]:8787/p", "http://[::1]:8787/p/", "[::1]:8787"),
        ("http://localhost:65535", "http://localhost:65535/", "localhost:65535"),
        ("http://LOCALHOST", "http://localhost/", "localhost"),
    ],
)
def test_a_base_url_is_kept_with_its_prefix(
    make_client: ClientOf, base_url: str, start: str, host: str
) -> None:
    exchange = RecordingHandler()
    make_client(exchange, base_url=base_url).balance()
    assert str(exchange.requests[0].url).partition(f"{BALANCE_PATH[1:]}?")[0] == start
    assert exchange.requests[0].headers["host"] == host


@CLIENTS
@pytest.mark.parametrize(
    ("host", "api"),
    [
        ("api.binance.com", "the spot API"), ("API3.binance.com", "the spot API"),
        ("testnet.binance.vision", "the spot API"), ("demo-api.binance.com", "the spot API"),
        ("dapi.binance.com", "the COIN-M futures API"),
        ("papi.binance.com", "the portfolio margin API"),
        ("fstream.binance.com", "a WebSocket host"),
    ],
)  # fmt: skip
def test_host_of_another_api_is_named(kind: Any, host: str, api: str) -> None:
    """The error says what the host is and which ones are right. Other hosts are the caller's."""
    right = rf"use {MAINNET}, or {DEMO} for demo trading$"
    for rest in ("", ":443", "/prefix"):
        with pytest.raises(ConfigurationError, match=right) as caught:
            kind(KEY, SECRET, base_url=f"https://{host}{rest}")
        assert f"{host.lower()} is {api} of the exchange" in str(caught.value)
    for custom in (
        f"{host}.example",
        f"gw-{host}",
        "testnet.binancefuture.com",
        "fapi2.binance.com",
    ):
        kind(KEY, SECRET, base_url=f"https://{custom}")


@pytest.mark.promise("S11")
@CLIENTS
@pytest.mark.parametrize(
    "base_url",
    [
        *["", " ", "fapi.binance.com", "//fapi.binance.com", "https:fapi.binance.com", "https://",
          "https:///x", "/", "https"],
        *["ftp://fapi.binance.com", "HTTPS://fapi.binance.com", "file:///etc/passwd",
          "ws://127.0.0.1", "javascript:x"],
        # plain http is for this machine, and only when no other one can be meant
        *["http://fapi.binance.com", "http://127.0.0.1.evil.example",
          "http://localhost.evil.example", "http://localhost."],
        *["http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1",
          "http://0.0.0.0", "http://[::]"],
        *["http://[::ffff:8.8.8.8]", "http://10.0.0.1", "http://128.0.0.1",
          "http://localhost@evil.example"],
        # a host that is not what it seems
        *["https://fapi.binance.com@evil.example", "https://user:password@fapi.binance.com",
          "https://@fapi.binance.com"],
        *["https://fapi.binance.com\\@evil.example", "https://evil.example\\.binance.com",
          "https://fapi.binance.com\\x"],
        *["https://fapi。binance。com", "https://fаpi.binance.com",
          "https://fapi.binance.com%2eevil.example", "https://e%76il"],
        *["https://fapi.binance.com\n", "https://fapi.binance.com\r\nX: 1",
          "https://fapi.binance.com\0", " https://x.example"],
        *["https://fapi.binance.com ", "https://fapi. binance.com", "https://.example",
          "https://-x.example", "https://a..b"],
        *["https://[::1", "https://::1", "https://[1:2]", "https://[fe80::1%25eth0]",
          "https://[v1.x]", "https://x_y.example"],
        # ports
        *["https://x.example:", "https://x.example:0", "https://x.example:65536",
          "https://x.example:99999999999"],
        *["https://x.example:-1", "https://x.example:8443a", "https://x.example:٤٤٣",
          "https://x.example:+443"],
        # anything after the path, and paths that a gateway might resolve
        *["https://x.example?a=1", "https://x.example/?", "https://x.example/p?a",
          "https://x.example#f", "https://x.example/#"],
        *["https://x.example/..", "https://x.example/a/../b", "https://x.example/./a",
          "https://x.example/a/.", "https://x.example/..."],
        *["https://x.example//", "https://x.example//a", "https://x.example/a//b",
          "https://x.example/%2e%2e/a", "https://x.example/a%2Fb"],
        *["https://x.example/a;b", "https://x.example/a b", "https://x.example/ä",
          "https://x.example/a\\b", "https://x.example/a@b"],
        *[None, b"https://fapi.binance.com", 1, httpx.URL("https://fapi.binance.com"),
          ["https://fapi.binance.com"]],
    ],
)  # fmt: skip
def test_any_other_base_url_is_refused(kind: Any, base_url: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"base_url .*(https|host)") as caught:
        kind(KEY, SECRET, base_url=base_url)
    assert not any(
        part in str(caught.value) for part in ("evil", "password", "x.example", "binance")
    )


@CLIENTS
@pytest.mark.parametrize(
    "timeout",
    [
        0,
        -1,
        -0.0,
        3601,
        pytest.param(10_000, id="ms"),
        pytest.param(10**400, id="huge"),
        1e300,
        math.nan,
        math.inf,
        None,
        True,
        "10",
        (1, 2),
        httpx.Timeout(5),
    ],
)
def test_a_timeout_is_a_positive_number_of_seconds(kind: Any, timeout: Any) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"timeout must be a positive number of seconds, at most 3600 \(an hour\)",
    ):
        kind(KEY, SECRET, timeout=timeout)
    kind(KEY, SECRET, timeout=3600)


def test_a_timeout_in_ms_is_recognized() -> None:
    """A number that is too large is called so, and is not called positive."""
    with pytest.raises(ConfigurationError, match=r"not a larger one; it looks like milliseconds$"):
        Client(KEY, SECRET, timeout=10_000)
    with pytest.raises(ConfigurationError, match=r"call, not a larger one$"):
        Client(KEY, SECRET, timeout=10_000_000)
    with pytest.raises(ConfigurationError, match=r"share must be .*, not a larger one$"):
        WeightLimiter(2400, share=80)


@pytest.mark.promise("S16")
@pytest.mark.parametrize("window", [0, -1, 2**63, True, 5000.0, "5000", b"5000", math.nan])
def test_a_window_is_a_positive_whole_number(make_client: ClientOf, window: Any) -> None:
    exchange = RecordingHandler()
    with pytest.raises(ConfigurationError, match="recv_window must be"):
        make_client(exchange, recv_window=window)
    with pytest.raises(ConfigurationError, match="recv_window must be an integer from 1"):
        make_client(exchange).balance(recv_window=window)
    make_client(exchange).balance(recv_window=2**63 - 1)
    assert len(exchange.requests) == 1


@pytest.mark.promise("S16")
@CLIENTS
@pytest.mark.parametrize(
    ("credential", "why"),
    [
        ("", "empty"), (" key", "space"), ("key\n", "newline"), ("k\tey", "space"),
        ("key\xa0", "space"), ("k\r\nX: 1", "newline"),
        ("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----", "space"),
        ("kéy", "character"), ("k\x00y", "character"),
        ("k\x7fy", "character"), ("k\u202ey", "character"), ("k" * 4097, "4096"), (b"key", "bytes"),
        (7, "int"),
    ],
)  # fmt: skip
def test_a_credential_that_cannot_be_one_is_refused_with_the_reason(
    kind: Any, credential: Any, why: str
) -> None:
    for name, arguments in (("api_key", (credential, SECRET)), ("api_secret", (KEY, credential))):
        with pytest.raises(ConfigurationError, match=f"^{name} .*{why}"):
            kind(*arguments)
    with pytest.raises(ConfigurationError, match=f"^api_secret .*{why}"):
        HmacSigner(credential)
    kind("k" * 4096, "s" * 4096)


@pytest.mark.promise("S16")
@CLIENTS
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"signer": HmacSigner(SECRET)}, "api_secret and signer are both set; pass only one"),
        ({"api_key": None}, "api_key is missing"),
        ({"api_secret": None, "signer": SECRET}, "signer must be an object"),
        ({"api_secret": None, "signer": HmacSigner}, "signer must be an object"),
        ({"transport": "http://user:password@proxy.example"}, "transport must be of type"),
        ({"transport": httpx.Client}, "transport must be of type"),
        (
            {"proxy": "http://proxy.example", "transport": httpx.MockTransport(RecordingHandler())},
            "proxy and transport are both set",
        ),
        ({"proxy": "proxy.example:8080"}, "proxy must look like"),
        ({"proxy": "ftp://user:password@proxy.example"}, "proxy must look like"),
        ({"proxy": "socks5://user:password@proxy.example"}, "proxy must look like"),
        ({"proxy": "http://user:password@proxy.example:99999"}, "proxy must look like"),
        (
            {"proxy": "https://user:password@proxy.example"},
            r"pass transport=httpx.HTTPTransport\(proxy=...\)",
        ),
        ({"proxy": "http://user:pass word@proxy.example"}, "proxy must look like"),
        ({"proxy": "http://proxy.example/password"}, "proxy must look like"),
        ({"proxy": "http://user:password\udcff@proxy.example"}, "proxy must look like"),
        ({"proxy": "http://proxy.example:0"}, "proxy must look like"),
        ({"proxy": "http://user:password@proxy.example\r\nX: y"}, "proxy must look like"),
        ({"proxy": "http://proxy.example\n"}, "proxy must look like"),
        ({"proxy": ""}, "proxy must look like"),
        ({"proxy": 8080}, "proxy must look like"),
        ({"proxy": b"http://proxy.example"}, "proxy must look like"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    kind: Any, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        kind(**{"api_key": KEY, "api_secret": SECRET, **options})
    assert not any(part in str(caught.value) for part in ("password", SECRET, "proxy.example"))


ENVIRONMENT = {
    "BINANCE_API_KEY": KEY,
    "BINANCE_API_SECRET": SECRET,
    "BINANCE_BASE_URL": "https://gw.example/p",
}


@CLIENTS
def test_a_client_comes_from_the_environment(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    name = kind.__name__
    assert repr(kind.from_env()) == f"{name}(base_url='https://gw.example/p')"
    assert repr(kind.from_env(base_url=DEMO)) == f"{name}(base_url='{DEMO}')"
    for absent in ("", None):
        monkeypatch.setenv("BINANCE_BASE_URL", "") if absent == "" else monkeypatch.delenv(
            "BINANCE_BASE_URL"
        )
        assert repr(kind.from_env()) == f"{name}(base_url='{MAINNET}')"
    exchange = RecordingHandler()
    with Client.from_env(transport=httpx.MockTransport(exchange), recv_window=77) as client:
        client.balance()
    assert exchange.requests[0].headers["x-mbx-apikey"] == KEY
    assert exchange.targets[0].startswith(BALANCE_PATH.encode() + b"?recvWindow=77&timestamp=")


@CLIENTS
def test_a_proxy_comes_from_the_environment(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """BINANCE_PROXY is the default of `proxy=`; a transport that is passed replaces it."""
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("BINANCE_PROXY", "http://127.0.0.1:3128")
    assert kind.from_env()._transport.proxy_address == ("127.0.0.1", 3128)
    assert kind.from_env(transport=None)._transport.proxy_address == ("127.0.0.1", 3128)
    assert kind.from_env(proxy="http://127.0.0.1:1")._transport.proxy_address == ("127.0.0.1", 1)
    transport = kind._default_transport_class(None)
    assert kind.from_env(transport=transport)._transport is transport
    monkeypatch.setenv("BINANCE_PROXY", "http://user:p@ss@127.0.0.1")
    with pytest.raises(ConfigurationError, match=r"^BINANCE_PROXY must look like .*%40") as caught:
        kind.from_env()
    assert "p@ss" not in str(caught.value)


@CLIENTS
@pytest.mark.parametrize("name", ["BINANCE_API_KEY", "BINANCE_API_SECRET"])
@pytest.mark.parametrize("text", [None, "", "two words"])
def test_a_variable_that_is_missing_or_unfit_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None
) -> None:
    for variable, fit in ENVIRONMENT.items():
        monkeypatch.setenv(variable, fit)
    monkeypatch.delenv(name) if text is None else monkeypatch.setenv(name, text)
    said = f"^{name} contains a space" if text else f"{name} is not set"
    with pytest.raises(ConfigurationError, match=said) as caught:
        kind.from_env()
    assert "two words" not in str(caught.value)


@CLIENTS
@pytest.mark.parametrize(
    "option",
    [
        {"retry": 3}, {"retry": None}, {"retry": RetryPolicy}, {"clock": "local"}, {"clock": 0},
        {"limiter": 0.8}, {"limiter": "own"},
        {"limiter": WeightLimiter},
        {"on_event": "print"}, {"max_reply_bytes": 0}, {"max_reply_bytes": 1e6},
        {"max_reply_bytes": True},
    ],
)  # fmt: skip
def test_an_option_of_the_wrong_kind_is_refused(kind: Any, option: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{next(iter(option))} must be"):
        kind(KEY, SECRET, **option)


def test_a_clock_in_fractions_is_refused_before_anything_is_sent(make_client: ClientOf) -> None:
    exchange = RecordingHandler()
    with pytest.raises(ConfigurationError, match="integer of milliseconds"):
        make_client(exchange, clock=lambda: 1591702613943.5).balance()
    assert exchange.requests == []


@pytest.mark.promise("S16")
@CLIENTS
@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ('"key"', SECRET, "api_key contains a quotation mark"),
        (KEY, "'secret'", "api_secret contains a quotation mark"),
        (SECRET, SECRET, "are equal"),
    ],
)
def test_a_slip_of_the_hand_is_named(kind: Any, key: str, secret: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        kind(key, secret)
    assert SECRET not in str(caught.value)


@CLIENTS
@pytest.mark.parametrize("path", ["/fapi", "/fapi/", BALANCE_PATH])
def test_a_base_url_with_the_endpoint_s_path_is_refused(kind: Any, path: str) -> None:
    with pytest.raises(ConfigurationError, match="must not contain /fapi"):
        kind(KEY, SECRET, base_url=MAINNET + path)


@pytest.mark.promise("S11")
@CLIENTS
def test_a_proxy_elsewhere_never_sees_a_key_in_clear(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="proxy must be on this machine"):
        kind(KEY, SECRET, base_url="http://127.0.0.1:8787", proxy="http://proxy.example:3128")
    for here in ("localhost", "127.0.0.1", "[::1]"):
        kind(KEY, SECRET, base_url="http://127.0.0.1:8787", proxy=f"http://{here}:3128")


@pytest.mark.promise("S11")
@pytest.mark.parametrize(
    ("kind", "transport"), [(Client, SyncTransport), (AsyncClient, AsyncTransport)]
)
def test_a_shared_transport_proxy_sees_no_plain_key(kind: Any, transport: Any) -> None:
    """The proxy of a shared transport gets no plaintext request unless it is on this machine."""
    shared = transport("http://proxy.invalid:3128")
    client = kind(
        KEY, SECRET, base_url="http://127.0.0.1:8787", transport=shared, retry=RetryPolicy.off()
    )
    with (
        asyncio.Runner() as runner,
        contextlib.closing(BlockingFacade(client, runner)) as blocking,
        pytest.raises(TransportError, match="proxy must be on this machine"),
    ):
        blocking.balance()


@pytest.mark.parametrize("kind", [SyncTransport, AsyncTransport])
@pytest.mark.parametrize(
    "url", ["http://proxy.example/x", "https://proxy.example", "", 8080, b"http://p"]
)
def test_a_proxy_of_a_shared_transport_that_is_none_is_refused(kind: Any, url: Any) -> None:
    with pytest.raises(ConfigurationError, match="proxy must look like"):
        kind(url)


@CLIENTS
def test_a_signer_takes_the_place_of_the_secret_s_variable(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    for secret in (None, "", SECRET):
        monkeypatch.delenv("BINANCE_API_SECRET", False) if secret is None else monkeypatch.setenv(
            "BINANCE_API_SECRET", secret
        )
        assert isinstance(kind.from_env(signer=HmacSigner(SECRET)), kind)


@CLIENTS
def test_an_unfit_base_url_of_the_environment_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, fit in {**ENVIRONMENT, "BINANCE_BASE_URL": "fapi.binance.com"}.items():
        monkeypatch.setenv(variable, fit)
    with pytest.raises(ConfigurationError, match=r"^BINANCE_BASE_URL must look like"):
        kind.from_env()


@CLIENTS
def test_a_client_can_be_referred_to_weakly(kind: Any) -> None:
    client = kind(KEY, SECRET)
    assert weakref.ref(client)() is client


@pytest.mark.promise("S16")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "host", ["a" * 64 + ".example", ".".join(["a" * 50] * 6), "x." * 126 + "yz"]
)
def test_a_host_too_long_for_dns_is_rejected(kind: Any, host: str) -> None:
    """A host that is too long for DNS is rejected before anything is sent."""
    with pytest.raises(ConfigurationError, match="base_url has an invalid host"):
        kind(KEY, SECRET, base_url=f"https://{host}")
    with pytest.raises(ConfigurationError, match="proxy has no usable host"):
        kind(KEY, SECRET, proxy=f"http://{host}:3128")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("host", ["a" * 63 + ".example", ".".join(["a" * 63] * 3 + ["a" * 61])])
def test_the_longest_host_that_there_can_be_is_taken(kind: Any, host: str) -> None:
    assert host in repr(kind(KEY, SECRET, base_url=f"https://{host}"))


class AsyncLimiter:
    async def acquire(self, weight: int) -> float:
        return 0.0

    async def observe(self, used_weight: int) -> None: ...

    async def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...


class AsyncRetry:
    async def __call__(self, error: UsdmError, attempt: int) -> None: ...


async def async_function(*_: object) -> None: ...


@pytest.mark.promise("S16")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("retry", async_function), ("retry", AsyncRetry()),
        ("retry", functools.partial(async_function, 1)),
        ("clock", async_function), ("on_event", async_function), ("limiter", AsyncLimiter()),
    ],
)  # fmt: skip
def test_an_async_function_that_nobody_would_await_is_refused(
    kind: Any, option: str, value: object
) -> None:
    with pytest.raises(
        ConfigurationError, match=f"{option} must not (be an async function|have async methods)"
    ):
        kind(KEY, SECRET, **{option: value})


TYPOS = {
    "time_out": "timeout", "timeOut": "timeout", "Timeout": "timeout", "recvWindow": "recv_window",
    "key": "api_key", "apiKey": "api_key", "secret": "api_secret", "api_secrets": "api_secret",
    "retries": "retry", "url": "base_url", "proxies": "proxy", "transports": "transport",
    "onEvent": "on_event", "rate_limiter": "limiter", "max_response_bytes": "max_reply_bytes",
}  # fmt: skip


@CLIENTS
@pytest.mark.parametrize("from_env", [False, True])
@pytest.mark.parametrize(("typo", "option"), TYPOS.items())
def test_nearest_option_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, from_env: bool, typo: str, option: str
) -> None:
    """An unknown option raises an error that names the public class and the nearest option."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    make = kind.from_env if from_env else kind
    with pytest.raises(ConfigurationError) as caught:
        make(**{typo: "canary"})
    assert str(caught.value) == (
        f"{kind.__name__} has no option '{typo}'; did you mean '{option}'?"
    )
    assert "canary" not in crash_report(caught.value)


@CLIENTS
@pytest.mark.parametrize(
    ("foreign", "advice"),
    [
        ("testnet", "pass base_url=binance_usdm.DEMO"), ("sandbox", "pass base_url=binance_usdm.DEMO"),
        ("enableRateLimit", "the weight budget is on; see limiter="),
        ("requests_params", "pass timeout=, proxy= or ssl_context="),
    ],
)  # fmt: skip
def test_options_of_other_sdks_are_explained(kind: Any, foreign: str, advice: str) -> None:
    """An option that only other SDKs have says what it is called here."""
    with pytest.raises(ConfigurationError) as caught:
        kind(KEY, SECRET, **{foreign: True})
    assert str(caught.value) == f"{kind.__name__} has no option '{foreign}'; {advice}"


@CLIENTS
@pytest.mark.parametrize(
    ("foreign", "method"),
    [("fetch_balance", "balance"), ("futures_account_balance", "balance"), ("time", "server_time")],
)
def test_methods_of_other_sdks_are_explained(kind: Any, foreign: str, method: str) -> None:
    """A method that only other SDKs have is an AttributeError that names the method here."""
    client = kind(KEY, SECRET)
    with pytest.raises(AttributeError) as caught:
        getattr(client, foreign)
    assert str(caught.value) == f"{kind.__name__} has no attribute '{foreign}'; use {method}()"
    assert foreign not in dir(client)
    assert not hasattr(client, foreign)
    setattr(client, foreign, method)
    assert getattr(client, foreign) == method, "a program may set it"


def test_each_client_names_its_way_to_close() -> None:
    with pytest.raises(AttributeError, match=r"AsyncClient has no attribute 'close'; use aclose"):
        _ = AsyncClient().close  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"Client has no attribute 'aclose'; use close"):
        _ = Client().aclose  # type: ignore[attr-defined]


@CLIENTS
def test_other_arguments_name_all_options(kind: Any) -> None:
    """Options like no other, positional ones and strings that are no names are explained."""
    name = kind.__name__
    with pytest.raises(
        ConfigurationError, match=f"^{name} has no option 'x'; it has api_key, .*, on_event, label$"
    ):
        kind(x=1)
    with pytest.raises(ConfigurationError, match=f"^{name} has no option of this name; it has"):
        kind(**{SECRET * 4: 1})
    with pytest.raises(ConfigurationError, match=f"^{name} has no option of this name; it has"):
        kind(**{"X Y": 1})
    with pytest.raises(
        ConfigurationError, match=f"^{name} takes api_key and api_secret by"
    ) as caught:
        kind(KEY, "canary", "canary")
    assert "canary" not in crash_report(caught.value)


def test_subclass_keeps_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subclass may have further options, and is named in errors."""

    class Bot(Client):
        __slots__ = ("name",)

        def __init__(self, *arguments: Any, name: str = "", **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.name = name

    assert Bot(KEY, SECRET, name="x").name == "x"
    with pytest.raises(ConfigurationError, match=r"^Bot has no option 'time_out'; did you mean"):
        Bot(KEY, SECRET, time_out=3)


@CLIENTS
@pytest.mark.parametrize("from_env", [False, True])
def test_transport_of_the_other_client_is_named(
    kind: Any, monkeypatch: pytest.MonkeyPatch, from_env: bool
) -> None:
    """A transport of the other client, a class or another object gets the right classes named."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    is_async = kind is AsyncClient
    own = ("Client", "SyncTransport", "BaseTransport", "HTTPTransport")
    if is_async:
        own = ("AsyncClient", "AsyncTransport", "AsyncBaseTransport", "AsyncHTTPTransport")
    says = f"transport must be of type {own[1]} or httpx.{own[2]} for {own[0]}, "
    says += f"such as httpx.{own[3]}(), not "
    strangers: list[tuple[Any, str]] = [
        (SyncTransport(), "SyncTransport") if is_async else (AsyncTransport(), "AsyncTransport"),
        (httpx.HTTPTransport(), "HTTPTransport")
        if is_async
        else (httpx.AsyncHTTPTransport(), "AsyncHTTPTransport"),
        (httpx.HTTPTransport, "the class HTTPTransport; pass an instance"),
        (SyncTransport, "the class SyncTransport; pass an instance"),
        ("http://proxy.example", "str"),
    ]
    for transport, found in strangers:
        make = kind.from_env if from_env else kind
        with pytest.raises(ConfigurationError) as caught:
            make(transport=transport)
        assert str(caught.value) == says + found
