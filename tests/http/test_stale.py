"""An idle connection that the server closed is a failure of its kind, and nothing is sent twice."""

from __future__ import annotations

import httpx
import pytest

from binance_usdm._http.httpx_adapter import StaleConnection
from tests.http.drivers import TIMEOUTS, CertificateAuthority, Wire, idle, make_request
from tests.support.raw_server import (
    CLOSE_WITHOUT_CLOSE_NOTIFY,
    READ,
    READ_FIRST_BYTE,
    RESET,
    STAY_SILENT,
    RawServer,
    Step,
    repeat,
    response_bytes,
)

ENDS: dict[str, list[Step]] = {"end": [], "reset": [0.01, RESET]}


def open_sockets(wire: Wire) -> int:
    return sum(map(len, idle(wire.transport)))


def outcome(wire: Wire, request: httpx.Request) -> httpx.TransportError:
    with pytest.raises(httpx.TransportError) as caught:
        wire.send(request)
    return caught.value


@pytest.mark.promise("R15", "R19")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "end", [[], [0.01, RESET], [CLOSE_WITHOUT_CLOSE_NOTIFY]], ids=["end", "reset", "no goodbye"]
)
def test_a_kept_connection_that_ends_without_a_reply_is_stale(
    wire: Wire, authority: CertificateAuthority, scheme: str, end: list[Step]
) -> None:
    tls = authority.server() if scheme == "https" else None
    with (
        RawServer(
            [READ, response_bytes(), READ, *end], repeat(READ, response_bytes(b"2")), tls=tls
        ) as server,
        authority.trust_system_wide(),
    ):
        wire.send(make_request(server.url))
        assert isinstance(outcome(wire, make_request(server.url)), StaleConnection)
        # The request was not sent a second time.
        assert (server.connections, len(server.requests), open_sockets(wire)) == (1, 2, 0)
        assert wire.send(make_request(server.url, fresh=True)).content == b"2"


@pytest.mark.promise("R15")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_kept_connection_that_breaks_while_sending_is_stale(
    wire: Wire, authority: CertificateAuthority, scheme: str
) -> None:
    tls = authority.server() if scheme == "https" else None
    with (
        RawServer([READ, response_bytes(), READ_FIRST_BYTE, RESET], tls=tls) as server,
        authority.trust_system_wide(),
    ):
        wire.send(make_request(server.url))
        assert isinstance(
            outcome(wire, make_request(server.url, [(b"X", b"x" * 9_000_000)])), StaleConnection
        )


@pytest.mark.promise("R15", "R19")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_new_connection_that_ends_without_a_reply_is_not_stale(
    wire: Wire, end: list[Step]
) -> None:
    with RawServer(repeat(READ, response_bytes()), [READ, *end]) as server:
        wire.send(make_request(server.url))
        error = outcome(wire, make_request(server.url, fresh=True))
        assert type(error) in {httpx.RemoteProtocolError, httpx.ReadError}
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.promise("R15")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize(
    "start", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", response_bytes(b"[1]")[:-1]]
)
def test_a_kept_connection_that_ends_within_the_reply_is_not_stale(
    wire: Wire, start: bytes, end: list[Step]
) -> None:
    with RawServer([READ, response_bytes(), READ, start, *end]) as server:
        wire.send(make_request(server.url))
        assert type(outcome(wire, make_request(server.url))) in {
            httpx.RemoteProtocolError,
            httpx.ReadError,
        }


@pytest.mark.promise("R15")
def test_a_kept_connection_that_stays_silent_is_late_and_not_stale(wire: Wire) -> None:
    with RawServer([READ, response_bytes(), STAY_SILENT]) as server:
        wire.send(make_request(server.url))
        with pytest.raises(TIMEOUTS):
            wire.send(make_request(server.url), 0.05)
        wire.shut_down()
        assert server.wait(lambda: server.hangups == 1)


@pytest.mark.promise("R15")
def test_a_kept_connection_with_a_malformed_reply_is_not_stale(wire: Wire) -> None:
    with RawServer([READ, response_bytes(), READ, b"garbage", STAY_SILENT]) as server:
        wire.send(make_request(server.url))
        assert type(outcome(wire, make_request(server.url))) is httpx.RemoteProtocolError


@pytest.mark.promise("R15")
def test_a_fresh_call_leaves_kept_connections_alone_and_is_kept_itself(wire: Wire) -> None:
    with RawServer(repeat(READ, response_bytes())) as server:
        for fresh in (False, True, False, False):
            wire.send(make_request(server.url, fresh=fresh))
        assert (server.connections, server.hangups, open_sockets(wire)) == (2, 0, 2)


@pytest.mark.promise("R15")
def test_with_a_stale_connection_goes_whatever_was_idle_for_longer(wire: Wire) -> None:
    with (
        RawServer(
            [READ, response_bytes(), READ, STAY_SILENT], [READ, response_bytes(), READ]
        ) as server,
        RawServer(repeat(READ, response_bytes())) as other,
    ):
        for url in (other.url, server.url, server.url, server.url):
            wire.send(make_request(url, fresh=True))
        assert isinstance(outcome(wire, make_request(server.url)), StaleConnection)
        assert open_sockets(wire) == 1  # another origin's stay
        wire.send(make_request(other.url))
        assert server.wait(lambda: server.ended == 3)
        assert (server.connections, other.connections, other.hangups) == (3, 1, 0)
