"""A kept connection that was dead already is told apart from every other failure, and nothing is sent twice."""

from __future__ import annotations

import httpx
import pytest

from binance_usdm._http.httpx_adapter import StaleConnection
from tests.http.drivers import TIMEOUTS, Authority, Wire, get, idle
from tests.support.raw_server import HOLD, READ, RESET, SOME, VANISH, RawServer, Step, again, reply

ENDS: dict[str, list[Step]] = {"end": [], "reset": [0.01, RESET]}


def left(wire: Wire) -> int:
    return sum(map(len, idle(wire.transport)))


def outcome(wire: Wire, request: httpx.Request) -> httpx.TransportError:
    with pytest.raises(httpx.TransportError) as caught:
        wire.send(request)
    return caught.value


@pytest.mark.promise("R15", "R19")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("end", [[], [0.01, RESET], [VANISH]], ids=["end", "reset", "no goodbye"])
def test_a_kept_connection_that_ends_without_a_reply_is_stale(
    wire: Wire, authority: Authority, scheme: str, end: list[Step]
) -> None:
    tls = authority.server() if scheme == "https" else None
    with RawServer([READ, reply(), READ, *end], again(READ, reply(b"2")), tls=tls) as server, authority.of_the_system():
        wire.send(get(server.url))
        assert isinstance(outcome(wire, get(server.url)), StaleConnection)
        assert (server.connections, len(server.requests), left(wire)) == (1, 2, 0)  # not sent again
        assert wire.send(get(server.url, fresh=True)).content == b"2"


@pytest.mark.promise("R15")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_kept_connection_that_breaks_while_sending_is_stale(wire: Wire, authority: Authority, scheme: str) -> None:
    tls = authority.server() if scheme == "https" else None
    with RawServer([READ, reply(), SOME, RESET], tls=tls) as server, authority.of_the_system():
        wire.send(get(server.url))
        assert isinstance(outcome(wire, get(server.url, [(b"X", b"x" * 9_000_000)])), StaleConnection)


@pytest.mark.promise("R15", "R19")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_new_connection_that_ends_without_a_reply_is_not_stale(wire: Wire, end: list[Step]) -> None:
    with RawServer(again(READ, reply()), [READ, *end]) as server:
        wire.send(get(server.url))
        error = outcome(wire, get(server.url, fresh=True))
        assert type(error) in {httpx.RemoteProtocolError, httpx.ReadError}
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.promise("R15")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("start", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", reply(b"[1]")[:-1]])
def test_a_kept_connection_that_ends_within_the_reply_is_not_stale(wire: Wire, start: bytes, end: list[Step]) -> None:
    with RawServer([READ, reply(), READ, start, *end]) as server:
        wire.send(get(server.url))
        assert type(outcome(wire, get(server.url))) in {httpx.RemoteProtocolError, httpx.ReadError}


@pytest.mark.promise("R15")
def test_a_kept_connection_that_stays_silent_is_late_and_not_stale(wire: Wire) -> None:
    with RawServer([READ, reply(), HOLD]) as server:
        wire.send(get(server.url))
        with pytest.raises(TIMEOUTS):
            wire.send(get(server.url), 0.05)
        wire.shut()
        assert server.wait(lambda: server.hangups == 1)


@pytest.mark.promise("R15")
def test_a_kept_connection_with_a_malformed_reply_is_not_stale(wire: Wire) -> None:
    with RawServer([READ, reply(), READ, b"garbage", HOLD]) as server:
        wire.send(get(server.url))
        assert type(outcome(wire, get(server.url))) is httpx.RemoteProtocolError


@pytest.mark.promise("R15")
def test_a_fresh_call_leaves_kept_connections_alone_and_is_kept_itself(wire: Wire) -> None:
    with RawServer(again(READ, reply())) as server:
        for fresh in (False, True, False, False):
            wire.send(get(server.url, fresh=fresh))
        assert (server.connections, server.hangups, left(wire)) == (2, 0, 2)


@pytest.mark.promise("R15")
def test_with_a_stale_connection_goes_whatever_was_idle_for_longer(wire: Wire) -> None:
    with (
        RawServer([READ, reply(), READ, HOLD], [READ, reply(), READ]) as server,
        RawServer(again(READ, reply())) as other,
    ):
        for url in (other.url, server.url, server.url, server.url):
            wire.send(get(url, fresh=True))
        assert isinstance(outcome(wire, get(server.url)), StaleConnection)
        assert left(wire) == 1  # another origin's stay
        wire.send(get(other.url))
        assert server.wait(lambda: server.ended == 3)
        assert (server.connections, other.connections, other.hangups) == (3, 1, 0)
