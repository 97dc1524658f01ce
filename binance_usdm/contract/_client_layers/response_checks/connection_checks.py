"""Checks of a client with its own transport, over connections to a server on this machine.

They do not depend on the operation, so one response stands for all.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any, Final

from binance_usdm import (
    DeadlineExceeded,
    Response,
    TransportError,
    UnexpectedResponse,
    UsdmError,
)
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase, is_async
from binance_usdm.contract._client_layers.servers.loopback import (
    ARRIVAL,
    POLICY,
    TIMEOUT,
    Caller,
    Stir,
    response_of,
    serve_stir,
)
from binance_usdm.contract._client_layers.servers.scripted_server import (
    PATIENCE_SECONDS,
    ScriptedConnection,
    ScriptedServer,
    encode_response,
)

# Longer than the whole call, so that a client which waits for it has forgotten its deadline.
LATE: Final = 3 * TIMEOUT
PIECES: Final = range(30)
CANCELLED: Final = "the first call was cancelled"


def time_is_up_in_every_phase(case: ResponseCase) -> None:
    """A call whose time is over is a `DeadlineExceeded`, which is not retried."""
    if case.number:
        return
    response = response_of(case)

    def connect(connection: ScriptedConnection) -> None:
        # It expects TLS, which never begins.
        connection.wait_for_end(LATE)

    def wait(connection: ScriptedConnection) -> None:
        connection.receive()
        connection.wait_for_end(LATE)
        connection.send(response)

    def read(connection: ScriptedConnection) -> None:
        connection.receive()
        connection.send(response[:-1])
        connection.wait_for_end(LATE)
        connection.send(response[-1:])

    def trickle(connection: ScriptedConnection) -> None:
        # Each piece comes in time, and all together do not.
        connection.receive()
        for number in PIECES:
            connection.send(response[number : number + 1])
            connection.wait_for_end(LATE / PIECES.stop)
        connection.send(response[PIECES.stop :])

    phases = ((connect, "https"), (wait, "http"), (read, "http"), (trickle, "http"))
    for serve, scheme in phases:
        with ScriptedServer(serve) as server, Caller(case, server, scheme) as caller:
            error = caller.call()
            place = f"while it {serve.__name__}s: {error!r}, {len(server.connections)} connections"
            assert type(error) is DeadlineExceeded, place
            assert not error.retryable, place
            # On a busy machine the server may not have accepted it yet.
            assert len(server.connections) <= 1, place


def one_deadline_bounds_all_attempts(case: ResponseCase) -> None:
    """`timeout` is the time of the call: a second attempt has what the first one left."""
    if case.number:
        return
    error, fine = encode_response(500, b"<html>"), response_of(case)
    timeout = 3 * TIMEOUT

    def serve(connection: ScriptedConnection) -> None:
        connection.receive()
        # Both together are longer than `timeout`, and each one is not.
        time.sleep(0.6 * timeout)
        is_first = connection.number == 1
        connection.send(error if is_first else fine)

    with ScriptedServer(serve) as server, Caller(case, server, timeout=timeout) as caller:
        received = caller.call()
        assert isinstance(received, UsdmError), f"{server.request_count} requests: {received!r}"


def broken_responses_are_retried(case: ResponseCase) -> None:
    """A connection that ends before the response does is a retryable `TransportError`."""
    if case.number:
        return
    fine = response_of(case)
    for part in (b"", fine[:20], fine[:-1]):
        for failures in range(POLICY.attempts + 1):

            def serve(
                connection: ScriptedConnection, part: bytes = part, failures: int = failures
            ) -> None:
                if connection.receive():
                    connection.send(part if connection.number <= failures else fine)

            with ScriptedServer(serve) as server, Caller(case, server, timeout=10.0) as caller:
                received = caller.call()
                attempts = min(failures + 1, POLICY.attempts)
                place = f"{len(part)} bytes, {failures} times: {received!r}"
                assert server.request_count == attempts, f"{place}: {server.request_count} requests"
                if failures < attempts:
                    assert isinstance(received, Response), place
                    assert received.attempts == attempts, f"{place}: {received.attempts} attempts"
                else:
                    assert (type(received), received.retryable) == (TransportError, True), place


def size_of_sent_bytes_is_bounded(case: ResponseCase) -> None:
    """A larger response than `max_reply_bytes` is not read, however it is sent."""
    if case.number:
        return
    body = b" " * 10_000
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body
    for data in (encode_response(200, body), chunk, b"HTTP/1.1 200 OK\r\n\r\n" + body):

        def serve(connection: ScriptedConnection, data: bytes = data) -> None:
            connection.receive()
            connection.send(data)
            connection.wait_for_end(PATIENCE_SECONDS)

        options: dict[str, Any] = {"timeout": PATIENCE_SECONDS / 2, "max_reply_bytes": 9_000}
        with ScriptedServer(serve) as server, Caller(case, server, **options) as caller:
            error = caller.call()
            place = f"{data[:60]!r}: {server.request_count} requests, {error!r}"
            found = (type(error), getattr(error, "status", None), server.request_count)
            assert found == (UnexpectedResponse, 0, 1), place


def kept_connections_that_stir_are_not_used(case: ResponseCase) -> None:
    """A connection that has ended, or has bytes that nobody asked for, gets no other request."""
    if case.number:
        return
    name = b"X-Number"
    first, stale = response_of(case, (name, b"1")), response_of(case, (name, b"stale"))
    closing = response_of(case, (name, b"1"), (b"Connection", b"close"))
    stirs = {
        "it ended": Stir(first, None),
        "a response came": Stir(first, stale),
        "a response came with the first one": Stir(first + stale, b""),
        "a part of a response came": Stir(first, stale[:30]),
        "the server wanted to close it": Stir(closing, b""),
        "the first call ended before its response came": Stir(b"", stale),
        CANCELLED: Stir(b"", stale),
    }
    for what, stir in stirs.items():
        has_stirred, is_read = threading.Event(), threading.Event()
        serve = partial(serve_stir, stir, response_of(case, (name, b"2")), is_read, has_stirred)
        timeout = PATIENCE_SECONDS if stir.sent else TIMEOUT
        with ScriptedServer(serve) as server, Caller(case, server, timeout=timeout) as caller:
            if what == CANCELLED and not is_async(caller.client):
                continue
            received = caller.cancel() if what == CANCELLED else caller.call()
            assert isinstance(received, Response) == bool(stir.sent), f"{what}: first {received!r}"
            if not server.request_count:
                # On a busy machine the time was over before the server was reached.
                continue
            is_read.set()
            has_stirred.wait(PATIENCE_SECONDS)
            time.sleep(ARRIVAL)
            received = caller.call()
            if not stir.sent and isinstance(received, DeadlineExceeded):
                # Likewise.
                continue
            assert isinstance(received, Response), f"{what}: {received!r}"
            number = received.headers["x-number"]
            counts = [len(each.requests) for each in server.connections]
            assert (number, counts) == ("2", [1, 1]), f"{what}: response {number}, {counts}"


def connections_of_other_accounts_are_closed(case: ResponseCase) -> None:
    """A connection with rows of another account may carry more of them, so it is not used again."""
    field, value = case.response.account_field, case.operation.richest_example
    if field is None:
        return
    first, other = (encode([{**row, field: account} for row in value]) for account in "ab")
    events: list[Any] = []

    def serve(connection: ScriptedConnection) -> None:
        while connection.receive():
            body = other if server.request_count == 2 else first
            connection.send(encode_response(200, body, JSON))

    options: dict[str, Any] = {"timeout": 10.0, "on_event": events.append}
    with ScriptedServer(serve) as server, Caller(case, server, **options) as caller:
        received = [type(caller.call()) for _ in range(3)]
        counts = [len(each.requests) for each in server.connections]
    assert received == [Response, UnexpectedResponse, Response], f"{received}"
    assert counts == [2, 1], f"requests of the connections: {counts}"
    kinds = [each.kind for each in events if each.kind == "account_mismatch"]
    assert len(kinds) == 1, f"events of another account: {len(kinds)}"


CHECKS: Final = (
    time_is_up_in_every_phase,
    one_deadline_bounds_all_attempts,
    broken_responses_are_retried,
    size_of_sent_bytes_is_bounded,
    kept_connections_that_stir_are_not_used,
    connections_of_other_accounts_are_closed,
)
