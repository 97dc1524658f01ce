"""The option `ssl_context=`: a private authority for one client or transport, always verified."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    ConfigurationError,
    SyncTransport,
    TransportError,
)
from binance_usdm._http.connections.tls import tls_context
from tests.http.drivers import CertificateAuthority
from tests.http.test_tunnel import Relay
from tests.support.clients import BODY, BlockingFacade
from tests.support.raw_server import READ, RawServer, repeat, response_bytes
from tests.support.spec_facts import BALANCE_PATH

ClientOf = Callable[..., BlockingFacade]
CLIENTS = pytest.mark.parametrize("kind", [Client, AsyncClient])
TRANSPORTS = pytest.mark.parametrize("transport_class", [SyncTransport, AsyncTransport])


@pytest.fixture
def server(authority: CertificateAuthority) -> Iterator[RawServer]:
    with RawServer(repeat(READ, response_bytes(BODY)), tls=authority.server()) as server:
        yield server


@pytest.mark.promise("S9")
def test_the_context_decides_whom_to_trust(
    make_client: ClientOf, server: RawServer, authority: CertificateAuthority
) -> None:
    """A private authority is trusted by the client with the context, and by no other."""
    with_context = make_client(base_url=server.url, ssl_context=authority.trusted())
    without = make_client(base_url=server.url)
    assert with_context.balance()[0].asset == "USDT"
    with pytest.raises(TransportError, match=r"not trusted; set SSL_CERT_FILE .* or pass ssl_con"):
        without.balance()
    assert len(server.requests) == 1


def test_the_context_replaces_the_process_trust(
    make_client: ClientOf, server: RawServer, tmp_path: Path, authority: CertificateAuthority
) -> None:
    """The system's authorities, SSL_CERT_FILE included, do not count beside a context."""
    other = CertificateAuthority(tmp_path)
    with authority.trust_system_wide():
        client = make_client(base_url=server.url, ssl_context=other.trusted())
        with pytest.raises(TransportError, match="not trusted by ssl_context") as caught:
            client.balance()
        assert "SSL_CERT_FILE" not in str(caught.value)
        assert tls_context.cache_info().currsize == 0, "the trust store is loaded for nothing"
        assert make_client(base_url=server.url).balance()
    assert len(server.requests) == 1


@pytest.mark.promise("S9")
def test_the_context_checks_the_host_name(
    make_client: ClientOf, authority: CertificateAuthority
) -> None:
    with RawServer([READ, response_bytes(BODY)], tls=authority.server("other.example")) as server:
        client = make_client(base_url=server.url, ssl_context=authority.trusted())
        with pytest.raises(TransportError, match=r"address mismatch.*; another server") as caught:
            client.balance()
        assert "authorit" not in str(caught.value)
    assert server.requests == []


def test_the_context_serves_through_a_proxy(
    make_client: ClientOf, server: RawServer, authority: CertificateAuthority
) -> None:
    """The context is for the target behind the tunnel; the proxy itself speaks plain HTTP."""
    with Relay() as relay:
        client = make_client(base_url=server.url, proxy=relay.url, ssl_context=authority.trusted())
        assert client.balance()
        assert len(relay.heads) == 1
        assert BALANCE_PATH.encode() not in relay.seen


@pytest.mark.parametrize("share", [False, True])
def test_contexts_never_share_a_connection(
    make_client: ClientOf, server: RawServer, authority: CertificateAuthority, share: bool
) -> None:
    """Clients with contexts connect on their own; one transport has one context."""
    first = make_client(base_url=server.url, ssl_context=authority.trusted())
    second = make_client(base_url=server.url, ssl_context=authority.trusted())
    for client in (first, second, first, second):
        assert client.balance()
    assert server.connections == 2
    default = type(first.client)._default_transport_class
    transport = default(ssl_context=authority.trusted(), share_connections=share)
    for _ in range(2):
        shared = make_client(base_url=server.url, transport=transport)
        assert shared.balance()
    assert server.connections == 3


def not_verifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def any_host() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    return context


def optional() -> ssl.SSLContext:
    context = any_host()
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def for_servers() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.check_hostname = True
    return context


def too_old() -> ssl.SSLContext:
    context = ssl.create_default_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    return context


def logging_keys(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.keylog_filename = str(path / "keys.log")
    return context


REJECTED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "certificates": (lambda _: not_verifying(), "must verify certificates .*CERT_REQUIRED"),
    "optional": (lambda _: optional(), "must verify certificates .*CERT_REQUIRED"),
    "host names": (lambda _: any_host(), "must check host names .*check_hostname"),
    "server": (lambda _: for_servers(), "is for servers; use ssl.create_default_context"),
    "old versions": (lambda _: too_old(), "must require TLS 1.2 or newer .*minimum_version"),
    "key log": (logging_keys, "must not write TLS keys to a file .*SSLKEYLOGFILE"),
    "path": (
        lambda _: "/etc/ca.pem",
        "must be an ssl.SSLContext or None, not a string of 11 characters",
    ),
    "flag": (lambda _: False, "must be an ssl.SSLContext or None, not False"),
    "class": (
        lambda _: ssl.SSLContext,
        "must be an ssl.SSLContext or None, not the class SSLContext",
    ),
    "module": (lambda _: ssl, "must be an ssl.SSLContext or None, not an object of type module"),
}


@pytest.mark.promise("S9", "S13")
@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.parametrize("make", [Client, AsyncClient, SyncTransport, AsyncTransport])
def test_an_unsafe_context_is_rejected(make: Any, name: str, tmp_path: Path) -> None:
    context_of, problem = REJECTED[name]
    with pytest.raises(ConfigurationError, match=f"^ssl_context {problem}"):
        make(ssl_context=context_of(tmp_path))


@CLIENTS
def test_a_context_beside_a_transport_is_rejected(
    kind: Any, authority: CertificateAuthority
) -> None:
    default = kind._default_transport_class
    transports = [default(), httpx.MockTransport(lambda _: httpx.Response(200))]
    for transport in transports:
        with pytest.raises(ConfigurationError, match="ssl_context and transport are both set"):
            kind(transport=transport, ssl_context=authority.trusted())


@pytest.mark.promise("S9")
def test_a_context_that_is_weakened_later_is_not_used(
    make_client: ClientOf, server: RawServer, authority: CertificateAuthority
) -> None:
    """A context is checked again before each connection: others may have changed it."""
    context = authority.trusted()
    client = make_client(base_url=server.url, ssl_context=context)
    context.check_hostname = False
    with pytest.raises(TransportError, match="ssl_context must check host names") as caught:
        client.balance()
    assert not caught.value.retryable
    context.verify_mode = ssl.CERT_NONE
    with pytest.raises(TransportError, match="ssl_context must verify certificates"):
        client.balance()
    assert server.requests == []
