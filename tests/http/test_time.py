"""The deadline holds against everything that trickles or stalls."""

from __future__ import annotations

import time

import httpx
import pytest

from binance_usdm._http.sync_transport import SyncTransport
from tests.http.drivers import TIMEOUTS, AsyncDriver, Wire, make_request
from tests.support.raw_server import READ, STAY_SILENT, RawServer
from tests.support.timing import check_duration, retry_if_late

pytestmark = pytest.mark.promise("R1")


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


def test_a_deadline_that_has_passed_opens_no_connection() -> None:
    with (
        RawServer([READ]) as server,
        SyncTransport() as transport,
        pytest.raises(httpx.ConnectTimeout),
    ):
        transport.handle_request(make_request(server.url, deadline=time.monotonic()))
    assert server.connections == 0
