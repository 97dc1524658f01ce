"""Any bytes, in any slices: a reply or a transport error, and the same one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_usdm._http.messages import HttpResponse
from binance_usdm._http.parser import ResponseParser
from tests.http.drivers import CHUNKED
from tests.support.raw_server import response_bytes

PIECES = [
    *[
        b"HTTP/1.1 ",
        b"200 OK",
        b"100 Continue",
        b"204 No",
        b"\r\n",
        b"\r\n\r\n",
        b": ",
        b"chunked",
        b"gzip",
        b"5",
        b"0",
    ],
    *[
        b"Content-Length",
        b"Transfer-Encoding",
        b"Connection",
        b"close",
        b"keep-alive",
        b"\0",
        b"\xff",
        b"[]",
        b"-",
    ],
    *[
        response_bytes(),
        response_bytes(b"[1,2]", b"X: y"),
        response_bytes(b"", status="204 No Content"),
        CHUNKED,
        CHUNKED[:-5],
    ],
]
sent = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=12).map(b"".join)


def parse(data: bytes, cuts: list[int]) -> tuple[object, ...]:
    """Return all that shows of a parser, without `keep_alive`.

    That may depend on bytes after the end.
    """
    parser, begin = ResponseParser(1000), 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        if end > begin:
            parser.feed(data[begin:end])
        begin = end
    parser.feed(b"")
    outcome = parser.result()
    assert parser.complete
    assert not parser.keep_alive
    if isinstance(outcome, HttpResponse):
        assert 200 <= outcome.status <= 999
        return outcome.status, outcome.headers.raw, outcome.body
    return tuple(outcome)


@pytest.mark.promise("R16")
@settings(max_examples=300, deadline=None)
@given(sent, st.lists(st.integers(0, 1000), max_size=9))
def test_any_bytes_in_any_slices_are_the_same_reply_or_transport_error(
    data: bytes, cuts: list[int]
) -> None:
    whole = parse(data, [])
    assert parse(data, cuts) == whole
    assert parse(data, list(range(len(data)))) == whole
