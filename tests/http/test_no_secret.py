"""Failures of a transport whose traceback could show the request, and does not.

The tests provoke them; `tests/support/secret_leaks.py` looks into the exceptions.
"""

from __future__ import annotations

import httpx
import pytest

from tests.http.drivers import Wires, make_request
from tests.support.canaries import SECRET
from tests.support.raw_server import READ, RESET, STAY_SILENT, RawServer, Step


@pytest.mark.promise("S4")
@pytest.mark.parametrize(
    ("scheme", "header", "steps"),
    [
        ("http", b"X: a\nb", [STAY_SILENT]),
        ("http", b"Content-Length: 1", [STAY_SILENT]),
        ("ftp", b"X: 1", [STAY_SILENT]),
        ("closed_port", b"X: 1", [STAY_SILENT]),
        ("http", b"X: 1", [READ, b"garbage"]),
        ("http", b"X: 1", [READ]),
        ("http", b"X: 1", [READ, 0.01, RESET]),
        ("http", b"X: 1", [READ, b"HTTP/1.1 200 OK\r\n", STAY_SILENT]),
        ("http", b"X: 1", [READ, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9999, STAY_SILENT]),
        ("https", b"X: 1", [READ]),
        ("https", b"X: 1", [STAY_SILENT]),
    ],
)
def test_no_traceback_shows_the_request(
    wires: Wires, closed_port: int, scheme: str, header: bytes, steps: list[Step]
) -> None:
    with RawServer(steps) as server:
        origin = f"{scheme}://127.0.0.1:{server.port}"
        if scheme == "closed_port":
            origin = f"http://127.0.0.1:{closed_port}"
        name, _, value = header.partition(b": ")
        headers = [(b"X-MBX-APIKEY", SECRET.encode()), (name, value)]
        with pytest.raises((httpx.TransportError, TimeoutError)) as caught:
            wires().send(
                make_request(f"{origin}/?signature={SECRET}", headers, max_reply_bytes=5000), 0.05
            )
    if isinstance(caught.value, httpx.TransportError):
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
