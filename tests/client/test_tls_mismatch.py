"""Plain http spoken to a port for TLS, and TLS to a port for http: the error says which it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import pytest
import trustme

from binance_usdm import AsyncClient, Client, RetryPolicy, UsdmError
from tests.support.raw_server import READ, READ_FIRST_BYTE, RESET, RawServer, Script, response_bytes

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
"""What a TLS server sends that does not understand the first bytes: a fatal alert."""
PAGES = {
    "nginx": b"<html><center>The plain HTTP request was sent to HTTPS port</center></html>",
    "apache": b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    "go": b"Client sent an HTTP request to an HTTPS server.\n",
}


def call_blocking(url: str, proxy: str | None) -> str:
    with (
        pytest.raises(UsdmError) as caught,
        Client(base_url=url, proxy=proxy, retry=RetryPolicy.off(), timeout=3) as client,
    ):
        client.server_time()
    return str(caught.value)


def call_async(url: str, proxy: str | None) -> str:
    async def call() -> str:
        options = {"base_url": url, "proxy": proxy, "timeout": 3.0}
        async with AsyncClient(retry=RetryPolicy.off(), **options) as client:  # type: ignore[arg-type]
            with pytest.raises(UsdmError) as caught:
                await client.server_time()
        return str(caught.value)

    return asyncio.run(call())


@pytest.fixture(params=[call_blocking, call_async])
def error_of(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Return a function that calls a base URL and returns the text of the error."""
    call: Callable[[str, str | None], str] = request.param
    return lambda url, proxy=None: call(url, proxy)


def test_https_to_a_plain_port(error_of: Callable[..., str]) -> None:
    """OpenSSL's WRONG_VERSION_NUMBER alone helps nobody."""
    with RawServer([READ_FIRST_BYTE, response_bytes(status="400 Bad Request")]) as server:
        error = error_of(server.url.replace("http:", "https:"))
    assert "the response is not valid TLS (WRONG_VERSION_NUMBER)" in error
    assert "the port looks like one for http" in error


def test_https_to_another_server(error_of: Callable[..., str]) -> None:
    """Another failure of the handshake is no plain port."""
    with RawServer([READ_FIRST_BYTE, ALERT]) as server:
        error = error_of(server.url.replace("http:", "https:"))
    assert "looks like" not in error


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ([READ, ALERT], "the response is TLS and not HTTP; the port expects https"),
        ([READ], "without a response; a port that expects https"),
        ([READ, RESET], "ECONNRESET; a port that expects https"),
        *[
            ([READ, response_bytes(page, status="400 Bad Request")], "the port expects https")
            for page in PAGES.values()
        ],
    ],
    ids=["alert", "closed", "reset", *PAGES],
)
def test_http_to_a_port_for_tls(error_of: Callable[..., str], script: Script, problem: str) -> None:
    """Servers reject plain http in several ways, and each is recognized."""
    with RawServer(script) as server:
        error = error_of(server.url)
    assert problem in error
    assert "change scheme or port of base_url" in error


@pytest.mark.parametrize("steps", [[READ, b"HTTP/1.1 200"], [READ, b"HTTP/1.1 200", RESET]])
def test_a_cut_response_is_http(error_of: Callable[..., str], steps: Script) -> None:
    """A server that began to respond speaks HTTP, so nothing is said of https."""
    with RawServer(steps) as server:
        assert "https" not in error_of(server.url)


def test_tls_that_ends_early(error_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS a connection that is closed without a response is no wrong scheme."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RawServer([READ], tls=context) as server, authority.cert_pem.tempfile() as pem:
        monkeypatch.setattr(
            "binance_usdm._http.connections.pool.tls_context",
            lambda: ssl.create_default_context(cafile=str(pem)),
        )
        error = error_of(server.url)
    assert "without a response" in error
    assert "https" not in error


def test_a_proxy_port_for_tls(error_of: Callable[..., str]) -> None:
    """CONNECT is sent without TLS, so the proxy's port must be the one for http."""
    with RawServer([READ, ALERT]) as server:
        error = error_of("https://fapi.binance.com", f"http://127.0.0.1:{server.port}")
    assert "the proxy answered nothing valid" in error
    assert "its port expects TLS; use its port for http in proxy=" in error
