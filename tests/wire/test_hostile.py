"""Any body becomes a valid value or a `UsdmError`, in bounded memory, on both clients.

Bodies are compressed, endless, random or damaged.
"""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from binance_usdm import APIError, UnexpectedResponse, UsdmError
from tests.support.amounts import with_plain_amounts
from tests.support.clients import BODY, ROW, BlockingFacade, RecordingHandler, body_handler
from tests.support.raw_server import READ, RawServer, repeat, response_bytes

ClientOf = Callable[..., BlockingFacade]
MIB = 1 << 20
INVALID = "invalid data"
INCOMPLETE = "incomplete data or bytes after its end"
BOMB = zlib.compress(b"[" * (64 * MIB))


class Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Body without an end: the client must stop reading."""

    sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.sent += 9999
            yield b" " * 9999

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)), ("x-gzip", gzip.compress(BODY)),
        (" GZip ", gzip.compress(BODY)), ("deflate", zlib.compress(BODY)),
        ("identity", BODY), ("", BODY), (None, BODY),
    ],
)  # fmt: skip
def test_an_unrequested_compression_is_read(
    client_of: ClientOf, encoding: str | None, body: bytes
) -> None:
    """A proxy may compress what the client did not ask to be compressed."""
    assert [row.to_dict() for row in client_of(body_handler(body, encoding)).balance()] == [ROW]


@pytest.mark.promise("S14")
@pytest.mark.parametrize(
    ("encoding", "body", "found"),
    [
        ("gzip", gzip.compress(b" " * (4 * MIB) + BODY), "more"), ("deflate", BOMB, "more"),
        ("gzip", gzip.compress(BODY)[:-1], INCOMPLETE),
        ("gzip", gzip.compress(BODY) + b"x", INCOMPLETE),
        ("gzip", gzip.compress(BODY) * 2, INCOMPLETE),
        ("gzip", b"", INCOMPLETE),
        ("gzip", BODY, INVALID), ("deflate", raw_deflate(BODY), INVALID),
        ("gzip", gzip.compress(BODY)[:-5] + b"00000", INVALID),
        ("gzip", gzip.compress(gzip.compress(BODY)), "invalid JSON"),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY)), "an unknown content encoding"),
        ("br", BODY, "an unknown content encoding"), ("zstd", BODY, "an unknown content encoding"),
        ("identity, gzip", gzip.compress(BODY), "an unknown content encoding"),
        ("\xff", BODY, "an unknown content encoding"),
    ],
)  # fmt: skip
def test_any_other_encoding_is_rejected(
    client_of: ClientOf, encoding: str, body: bytes, found: str
) -> None:
    """Unknown, damaged, repeated and oversized encodings are errors."""
    headers = [(b"Content-Encoding", encoding.encode("latin-1"))]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))

    client = client_of(respond)
    with pytest.raises(UnexpectedResponse) as caught:
        client.balance()
    assert (caught.value.path, caught.value.found) == ((), found)


@pytest.mark.promise("S14")
def test_a_bomb_is_not_decompressed(client_of: ClientOf) -> None:
    """Decompression stops at its limit, so 64 MiB take less than 16."""
    client = client_of(body_handler(BOMB, "deflate"))
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponse, match=f"at most {4 * MIB} bytes, found more"):
            client.balance()
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.promise("S14")
def test_a_body_over_one_mebibyte_is_rejected(client_of: ClientOf) -> None:
    """Every transport stops reading there, and one mebibyte is accepted."""
    body = Endless()
    with RawServer(repeat(READ, response_bytes(BODY.ljust(MIB + 1)))) as server:
        clients = [
            client_of(base_url=server.url),
            client_of(body_handler(BODY.ljust(MIB + 1))),
            client_of(lambda _: httpx.Response(200, stream=body)),
        ]
        for client in clients:
            with pytest.raises(UnexpectedResponse, match="at most 1048576 bytes, found more"):
                client.balance()
    assert MIB < body.sent <= MIB + 9999
    assert len(client_of(body_handler(BODY.ljust(MIB))).balance()) == 1


# Any body with any status


def outcome(client: BlockingFacade) -> object:
    """Return the value or the `UsdmError` of a call. Any other exception fails the test."""
    try:
        parsed = client.balance()
    except UsdmError as error:
        return error
    assert isinstance(parsed, list)
    return parsed


FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SPOILED = st.builds(
    lambda start, end, new: BODY[:start] + new + BODY[end:],
    st.integers(0, len(BODY)), st.integers(0, len(BODY)),
    st.binary(max_size=8) | st.sampled_from([b"null", b"[]", b"NaN", b'"', b"1e9"]),
)  # fmt: skip


@pytest.mark.promise("R16")
@FUZZ
@given(
    body=st.binary(max_size=200) | SPOILED,
    encoding=st.sampled_from([None, "gzip", "deflate", "br"]),
    status=st.integers(200, 599),
)
def test_random_bytes_are_a_value_or_an_error(
    client_of: ClientOf, body: bytes, encoding: str | None, status: int
) -> None:
    """Redirects are always errors; any other status depends on its body."""
    result = outcome(client_of(body_handler(body, encoding, status)))
    assert isinstance(result, UnexpectedResponse if 300 <= status < 400 else list | UsdmError)


@pytest.mark.promise("R16")
@FUZZ
@given(body=SPOILED)
def test_a_spoiled_body_is_never_half_read(client_of: ClientOf, body: bytes) -> None:
    """A damaged body gives all its rows or an error."""
    result = outcome(client_of(body_handler(body)))
    if isinstance(result, list):
        rows = with_plain_amounts(json.loads(body, parse_float=str))
        assert [row.to_dict() for row in result] == rows


TYPES = ["application/json", "text/html", "application/octet-stream; charset=utf-16"]
STATUSES = [
    200, 201, 202, 204, 206, 226, 300, 302, 304, 308, 400, 401, 403, 404, 408, 418, 422, 429, 451,
    500, 502, 503, 504, 520, 599,
]  # fmt: skip
ERROR_BODIES = [b'{"code": -1021, "msg": "x"}', b'{"code": -1003, "msg": null}', b'{"code": 0}']
BODIES = [
    BODY,
    b"[]", *ERROR_BODIES, b"{}", b"null", b"", b"<html>", b'"[]"', b"[null]", b"[[]]", b"[{}]",
    b"\xff\xfe", b'{"msg": "x"}',
    b'{"code": "x", "msg": 1}', b'{"code": 1e99, "msg": "x"}',
    b'{"code": -99999999999999999999, "msg": "x"}', BODY + b",",
    b'{"code": true, "msg": "\\u0000"}', b"[" * 3000, b'{"code": -1, "code": -2}',
    b'[{"code": -1021, "msg": "x"}]',
]  # fmt: skip


def expected_error(status: int, body: bytes) -> type:
    if status == 200 and body in {BODY, b"[]"}:
        return list
    return (
        APIError
        if status >= 400 or (status == 200 and body in ERROR_BODIES)
        else UnexpectedResponse
    )


@pytest.mark.promise("R16")
def test_every_status_and_body_has_its_outcome(client_of: ClientOf) -> None:
    """Status and body decide between a value and an error class; the content type does not."""
    for status, content_type, body in itertools.product(STATUSES, TYPES, BODIES):
        headers = {"content-type": content_type}
        client = client_of(RecordingHandler(httpx.Response(status, headers=headers, content=body)))
        case = (status, content_type, body)
        assert isinstance(outcome(client), expected_error(status, body)), case
