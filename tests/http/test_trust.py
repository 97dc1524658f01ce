"""TLS settings of a process: which certificates are trusted, and which secrets stay secret."""

from __future__ import annotations

import contextlib
import datetime
import math
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import trustme

from binance_usdm._http.connections.tls import tls_context
from tests.http.drivers import CertificateAuthority, Wire, Wires, make_request
from tests.support.raw_server import (
    CLOSE_WITHOUT_CLOSE_NOTIFY,
    READ,
    RawServer,
    repeat,
    response_bytes,
)

DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def known(authority: CertificateAuthority) -> Iterator[None]:
    with authority.trust_system_wide():
        yield


@pytest.fixture(scope="session")
def self_signed() -> ssl.SSLContext:
    root, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with root.cert_pem.tempfile() as certificate, root.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


def error_of(wire: Wire, server: RawServer, url: str) -> str:
    with pytest.raises(httpx.ConnectError) as caught:
        wire.send(make_request(url))
    assert server.requests == []
    return str(caught.value)


@pytest.mark.promise("S9")
def test_tls_to_the_right_host_works_and_is_reused(
    wire: Wire, authority: CertificateAuthority
) -> None:
    with RawServer(repeat(READ, response_bytes()), tls=authority.server()) as server:
        for host in ("localhost", "127.0.0.1") * 2:
            assert wire.send(make_request(f"https://{host}:{server.port}/")).content == b"[]"
    assert server.connections == 2


class Pieces:
    """A port that forwards another one's bytes in pieces smaller than a TLS record.

    It forwards at most `most` bytes.
    """

    def __init__(self, port: int, most: float = math.inf) -> None:
        self.came, self._most = 0, most
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = socket.create_connection(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._answer, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(1)
        self._server.close()
        self._listener.close()

    def _answer(self) -> None:
        with self._listener.accept()[0] as client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._threads.append(threading.Thread(target=self._forward, args=[client], daemon=True))
            self._threads[-1].start()
            while piece := self._server.recv(50):
                self.came += len(piece)
                if self.came <= self._most:
                    client.sendall(piece)
            client.shutdown(socket.SHUT_RDWR)

    def _forward(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                self._server.sendall(data)


def test_a_tls_record_in_pieces_is_awaited(wire: Wire, authority: CertificateAuthority) -> None:
    """A TLS record that comes in pieces is waited for until the deadline."""
    body = b"x" * 500
    with RawServer(
        repeat(READ, response_bytes(body)),
        repeat(READ, response_bytes(body)),
        tls=authority.server(),
    ) as server:
        with Pieces(server.port) as relay:
            assert wire.send(make_request(f"https://localhost:{relay.port}/")).content == body
        with Pieces(server.port, relay.came - 100) as relay:  # within the record that is the reply
            began, used = time.monotonic(), time.thread_time()
            # The latter from asyncio.timeout, set around the call.
            with pytest.raises((httpx.ReadTimeout, TimeoutError)):
                wire.send(make_request(f"https://localhost:{relay.port}/"), 0.5)
            assert 0.5 <= time.monotonic() - began < 0.8
            assert time.thread_time() - used < 0.3, "busy waiting"
    assert server.connections == 2


def test_a_head_larger_than_the_send_buffer_arrives_whole_over_tls(
    wire: Wire, authority: CertificateAuthority
) -> None:
    with RawServer([READ, response_bytes()], tls=authority.server()) as server:
        url = f"https://localhost:{server.port}/"
        assert wire.send(make_request(url, [(b"X", b"x" * 6_000_000)])).content == b"[]"
    assert len(server.requests[0]) > 6_000_000


@pytest.mark.promise("S9")
@pytest.mark.parametrize("name", ["elsewhere.example", "local", "*.localhost", "127.0.0.2"])
def test_a_certificate_for_another_host_is_refused(
    wire: Wire, authority: CertificateAuthority, name: str
) -> None:
    with RawServer([READ, response_bytes()], tls=authority.server(name)) as server:
        assert "not valid for 'localhost'" in error_of(
            wire, server, f"https://localhost:{server.port}/"
        )
        assert "not valid for '127.0.0.1'" in error_of(wire, server, server.url)


@pytest.mark.promise("S9")
@pytest.mark.parametrize(("days", "word"), [((-9, -1), "expired"), ((1, 9), "not yet valid")])
def test_a_certificate_of_another_time_is_refused(
    wire: Wire, authority: CertificateAuthority, days: tuple[int, int], word: str
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    late = authority.server(not_before=now + days[0] * DAY, not_after=now + days[1] * DAY)
    with RawServer([READ, response_bytes()], tls=late) as server:
        assert word in error_of(wire, server, server.url)


@pytest.mark.promise("S9")
def test_an_unknown_authority_is_refused(wire: Wire, tmp_path: Path) -> None:
    with RawServer([READ, response_bytes()], tls=CertificateAuthority(tmp_path).server()) as server:
        assert "unable to get local issuer certificate" in error_of(wire, server, server.url)


@pytest.mark.promise("S9")
def test_a_self_signed_certificate_is_refused(wire: Wire, self_signed: ssl.SSLContext) -> None:
    with RawServer([READ, response_bytes()], tls=self_signed) as server:
        assert "self-signed certificate" in error_of(wire, server, server.url)


@pytest.mark.promise("S9")
def test_a_server_older_than_tls_1_2_is_refused(
    wires: Wires, authority: CertificateAuthority
) -> None:
    old, willing = authority.server(), authority.trusted()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old version, which is meant
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        willing.minimum_version = ssl.TLSVersion.TLSv1
    # Ours too: it is the version that must be refused, not its hashes.
    for context in (old, willing, tls_context()):
        context.set_ciphers("ALL:@SECLEVEL=0")
    with RawServer([READ, response_bytes()], tls=old) as server:
        assert "protocol version" in error_of(wires(), server, server.url).lower().replace("_", " ")
        try:
            with socket.create_connection(("127.0.0.1", server.port)) as plain:
                willing.wrap_socket(plain, server_hostname="localhost").close()
        except OSError as error:
            pytest.skip(f"the OpenSSL here does not offer TLS 1.1: {error}")


@pytest.mark.promise("S9")
def test_a_reply_that_ends_with_the_stream_needs_tls_goodbye(
    wire: Wire, authority: CertificateAuthority
) -> None:
    sent = b"HTTP/1.1 200 OK\r\n\r\n[1"
    with RawServer(
        [READ, sent], [READ, sent, CLOSE_WITHOUT_CLOSE_NOTIFY], tls=authority.server()
    ) as server:
        assert wire.send(make_request(server.url)).content == b"[1"
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            wire.send(make_request(server.url))


@pytest.mark.promise("S13")
def test_no_key_log_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wire: Wire, authority: CertificateAuthority
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    with RawServer(repeat(READ, response_bytes()), tls=authority.server()) as server:
        wire.send(make_request(server.url))
    assert tls_context().keylog_filename is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("S9")
def test_a_process_has_one_tls_context_that_verifies(
    wires: Wires, authority: CertificateAuthority
) -> None:
    with RawServer(repeat(READ, response_bytes()), tls=authority.server()) as server:
        for wire in (wires(), wires()):
            wire.send(make_request(server.url))
    assert tls_context.cache_info().misses == 1
    context = tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_plain_http_loads_no_trust_store(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        wire.send(make_request(server.url))
    assert tls_context.cache_info().currsize == 0
