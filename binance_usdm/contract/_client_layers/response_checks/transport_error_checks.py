"""Checks of what a client makes of the errors of a transport, and of a path beyond the spec."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final

import httpx

from binance_usdm import Response, RetryPolicy, TransportError, UsdmError
from binance_usdm.contract._cases import sample_values as samples
from binance_usdm.contract._cases.expectations import expected_error
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0
from binance_usdm.contract._cases.response_tables import MIB
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase, outcome_of
from binance_usdm.contract._client_layers.response_checks.error_object_checks import iter_shown
from binance_usdm.contract._spec.exact_json import canonical, decode, first_difference

POLICY: Final = RetryPolicy(attempts=3, random=lambda: 0.0)
# What transports of httpx raise when there is no complete response.
ERRORS: Final[tuple[Callable[[str], Exception], ...]] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
    httpx.WriteError,
    ConnectionResetError,
    OSError,
)


class FailingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for both clients whose errors repeat the request."""

    def __init__(self, make_error: Callable[[str], Exception]) -> None:
        self.sent: list[httpx.Request] = []
        self._make_error = make_error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        raise self._make_error(f"no response to {request.url} {[*request.headers.raw]}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of both clients that says whether it was closed."""

    def __init__(self, body: bytes) -> None:
        self.is_closed = False
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.close()


class StreamTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for both clients whose responses keep a connection until they are closed."""

    def __init__(self, status: int, body: bytes) -> None:
        self.streams: list[_Stream] = []
        self._status = status
        self._body = body

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.streams.append(_Stream(self._body))
        return httpx.Response(self._status, stream=self.streams[-1])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def responses_of_transports_are_closed(case: ResponseCase) -> None:
    """A transport of httpx gets every connection back, whatever became of the response."""
    body = encode(case.operation.richest_example)
    for status, content in ((200, body), (200, body.ljust(MIB + 1)), (200, b"x"), (400, b"{}")):
        transport = StreamTransport(status, content)
        options: dict[str, Any] = {"clock": lambda: T0, "retry": RetryPolicy.off()}
        received = case.call(case.sdk.client(KEY, SECRET, transport=transport, **options))
        are_closed = [stream.is_closed for stream in transport.streams]
        assert are_closed == [True], f"{len(content)} bytes: closed {are_closed}, {received!r}"


def errors_of_transports_are_retried(case: ResponseCase) -> None:
    """Whatever a transport raises is a retryable `TransportError` that shows no secret."""
    for make_error in ERRORS:
        transport = FailingTransport(make_error)
        options: dict[str, Any] = {"clock": lambda: T0, "retry": POLICY}
        error = case.call(case.sdk.client(KEY, SECRET, transport=transport, **options))
        name = getattr(make_error, "__name__", "")
        found = (type(error), getattr(error, "retryable", None), len(transport.sent))
        assert found == (TransportError, True, POLICY.attempts), f"{name}: {found}, {error!r}"
        for place, text in iter_shown(error):
            assert not case.shows_secret(text, transport.sent), f"{name}: a secret in {place}"


def other_paths_return_exact_json(case: ResponseCase) -> None:
    """`get` returns the JSON of a path as it came, and raises the same errors."""
    # `get` takes no path that ends in a slash.
    if case.operation.path_parameters or case.operation.path.endswith("/"):
        return
    body = encode(case.operation.richest_example)
    bodies = [samples.add_field(body, field) for field in samples.UNKNOWN_FIELDS]
    # One field of a name is enough, and an object without any gets none.
    for content in (body, *filter(_is_json, bodies)):
        received = case.receive(content, JSON, call=partial(_get, case))
        assert isinstance(received, Response), f"{received!r} for {content[:200]!r}"
        found, wanted = received.parsed, decode(content)
        difference = first_difference(wanted, found)
        assert canonical(found) == canonical(wanted), f"the value differs{difference}"
    errors = ((400, b'{"code": -1022, "msg": "no"}'), (200, b'{"code": -1001, "msg": "no"}'))
    for status, content in (*errors, (503, b"<html>"), (200, b"<html>"), (200, body + b"x")):
        error = case.receive(content, JSON, status=status, call=partial(_get, case))
        outcome = expected_error(case.response, status, content)
        assert outcome_of(error) == outcome, f"{error!r}, not {outcome}"


CHECKS: Final = (
    errors_of_transports_are_retried,
    responses_of_transports_are_closed,
    other_paths_return_exact_json,
)


def _is_json(body: bytes) -> bool:
    try:
        decode(body)
    except ValueError:
        return False
    return True


def _get(case: ResponseCase, client: Any) -> Any:
    operation = case.operation
    is_signed = operation.signature is not None
    try:
        return case.run(client.get_detailed(operation.path, weight=1, signed=is_signed))
    except UsdmError as error:
        return error
