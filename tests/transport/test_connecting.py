"""Failing to connect, and TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
from raw_server import READ, VANISH, RawServer, again, reply
from wires import Certificate, Wire, Wires, get

from binance_usdm._transport import SyncTransport, tls_context


def test_a_refused_connection_is_a_connect_error(wire: Wire, nobody: int) -> None:
    with pytest.raises(httpx.ConnectError, match="connecting failed: ECONNREFUSED"):
        wire.send(get(f"http://127.0.0.1:{nobody}/"))


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", ".invalid", "127.0.0.1:99999"])
def test_a_host_that_cannot_be_is_a_connect_error(wire: Wire, host: str) -> None:
    with pytest.raises(httpx.ConnectError):
        wire.send(get(f"https://{host}/"))


def test_tls_to_the_right_host_works_and_is_reused(wires: Wires, certificate: Certificate) -> None:
    with RawServer(again(READ, reply()), tls=certificate.server()) as server:
        wire = wires(ssl_context=certificate.trusted())
        for _ in range(3):
            assert wire.send(get(f"https://localhost:{server.port}/")).content == b"[]"
    assert server.connections <= 2  # ::1 may have been tried first; session tickets may look like a stirring connection


def test_tls_refuses_an_unknown_authority_and_a_wrong_host(wires: Wires, certificate: Certificate) -> None:
    with RawServer([READ, reply()], tls=certificate.server()) as server:
        with pytest.raises(httpx.ConnectError, match="self-signed certificate"):
            wires().send(get(f"https://localhost:{server.port}/"))
        with pytest.raises(httpx.ConnectError, match=r"not valid for '127\.0\.0\.1'"):
            wires(ssl_context=certificate.trusted()).send(get(f"https://127.0.0.1:{server.port}/"))
    assert server.requests == []


def test_a_reply_that_ends_with_the_stream_needs_tls_goodbye(wires: Wires, certificate: Certificate) -> None:
    sent = b"HTTP/1.1 200 OK\r\n\r\n[1"
    with RawServer([READ, sent], [READ, sent, VANISH], tls=certificate.server()) as server:
        url, wire = f"https://localhost:{server.port}/", wires(ssl_context=certificate.trusted())
        assert wire.send(get(url)).content == b"[1"
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            wire.send(get(url))


def test_the_process_wide_context_verifies_and_writes_no_key_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certificate: Certificate
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.pem))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    tls_context.cache_clear()
    try:
        with RawServer(again(READ, reply()), tls=certificate.server()) as server, SyncTransport() as transport:
            transport.handle_request(get(f"https://localhost:{server.port}/"))
        context = tls_context()
        assert context is tls_context()
    finally:
        tls_context.cache_clear()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.keylog_filename is None
    assert list(tmp_path.iterdir()) == []


def test_plain_http_loads_no_trust_store(wires: Wires) -> None:
    tls_context.cache_clear()
    with RawServer(again(READ, reply())) as server:
        wires().send(get(server.url))
    assert tls_context.cache_info().currsize == 0
