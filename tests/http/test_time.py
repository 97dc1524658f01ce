"""The deadline holds against everything that trickles or stalls."""

from __future__ import annotations

import time
from collections.abc import Iterable

import httpx
import pytest

from binance_usdm._http.sync_transport import SyncTransport
from tests.http.drivers import TIMEOUTS, AsyncDriver, SyncDriver, Wire, make_request
from tests.support.raw_server import READ, STAY_SILENT, RawServer, Step
from tests.support.timing import check_duration, retry_if_late

pytestmark = pytest.mark.promise("R1")


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"", STAY_SILENT),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"z"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"z"),
    ],
    ids=["silence", "endless 1xx", "head drip", "body drip", "eof drip"],
)
@retry_if_late
def test_no_trickle_extends_the_deadline(wire: Wire, start: bytes, drip: Step) -> None:
    def script() -> Iterable[Step]:
        yield from (READ, start)
        for _ in range(300):
            yield from (drip, 0.01)

    with RawServer(script) as server:
        began = time.monotonic()
        with pytest.raises(TIMEOUTS):
            wire.send(make_request(server.url), 0.1)
        check_duration(time.monotonic() - began, at_least=0.09, at_most=0.2)
        assert not isinstance(wire, SyncDriver) or server.wait(lambda: server.ended == 1)


@retry_if_late
def test_a_server_that_does_not_read_ends_at_the_deadline(wire: Wire) -> None:
    with RawServer([3.0]) as server:
        began = time.monotonic()
        with pytest.raises(TIMEOUTS) as caught:
            wire.send(make_request(server.url, [(b"X", b"x" * 6_000_000)]), 0.25)
        check_duration(time.monotonic() - began, at_least=0.24, at_most=0.35)
    assert isinstance(wire, AsyncDriver) or caught.type is httpx.WriteTimeout


@retry_if_late
def test_a_stalled_handshake_ends_at_the_deadline(wire: Wire) -> None:
    """A TLS handshake that stalls ends at the deadline, and its socket is closed."""
    with RawServer([STAY_SILENT]) as server:
        began = time.monotonic()
        with pytest.raises(TIMEOUTS) as caught:
            wire.send(make_request(server.url.replace("http:", "https:")), 0.1)
        check_duration(time.monotonic() - began, at_least=0.09, at_most=0.2)
        wire.shut_down()
        assert server.wait(lambda: server.hangups == 1)
    assert isinstance(wire, AsyncDriver) or caught.type is httpx.ConnectTimeout


@retry_if_late
def test_a_connection_that_never_comes_ends_at_the_deadline(
    wire: Wire, swallower: tuple[str, int]
) -> None:
    began = time.monotonic()
    with pytest.raises(TIMEOUTS) as caught:
        wire.send(make_request("http://{}:{}/".format(*swallower)), 0.1)
    check_duration(time.monotonic() - began, at_least=0.09, at_most=0.2)
    assert isinstance(wire, AsyncDriver) or caught.type is httpx.ConnectTimeout


def test_a_deadline_that_has_passed_opens_no_connection() -> None:
    with (
        RawServer([READ]) as server,
        SyncTransport() as transport,
        pytest.raises(httpx.ConnectTimeout),
    ):
        transport.handle_request(make_request(server.url, deadline=time.monotonic()))
    assert server.connections == 0
