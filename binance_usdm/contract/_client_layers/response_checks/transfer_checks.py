"""Checks of a client with its own transport: framings of responses, and calls at the same time.

They do not depend on the operation, so one response stands for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from typing import Any, Final

from binance_usdm import IPBannedError, RateLimitError, Response
from binance_usdm.contract._cases.raw_requests import T0
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase, is_async
from binance_usdm.contract._client_layers.servers.loopback import ARRIVAL, Caller, response_of
from binance_usdm.contract._client_layers.servers.scripted_server import (
    PATIENCE_SECONDS,
    ScriptedConnection,
    ScriptedServer,
    encode_response,
)

CALLS: Final = 6
FIRST_WINDOW: Final = 2000
PIECE_BYTES: Final = 11
HEADERS: Final = 100


def responses_are_read_in_every_framing(case: ResponseCase) -> None:
    """Chunks, pieces, an interim response before it, or an end by the end of the connection."""
    if case.number:
        return
    body = encode(case.operation.richest_example)
    wanted = repr(case.receive(body, JSON).parsed)
    head = b"HTTP/1.1 200 OK\r\nX-Number: 1\r\ncontent-type: application/json\r\n"
    head += b"X-Other: 1\r\n" * HEADERS
    # What comes after the chunks is no header.
    end = b"0\r\nX-Number: 2\r\n\r\n"
    pieces = [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    plain = response_of(case, (b"X-Number", b"1"))
    cases = {
        "length": (plain, False),
        "chunks": (head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + end, False),
        "end of the connection": (head + b"\r\n" + body, True),
        "HTTP/1.0": (b"HTTP/1.0" + plain[8:], True),
        "an interim response": (b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + plain, False),
        "no reason": (plain.replace(b"200 -", b"200 ", 1), False),
    }
    for name, (data, is_closed) in cases.items():

        def serve(
            connection: ScriptedConnection, data: bytes = data, is_closed: bool = is_closed
        ) -> None:
            while connection.receive():
                for start in range(0, len(data), PIECE_BYTES):
                    connection.send(data[start : start + PIECE_BYTES])
                if is_closed:
                    return

        with ScriptedServer(serve) as server, Caller(case, server, timeout=10.0) as caller:
            for number in (1, 2):
                received = caller.call()
                assert isinstance(received, Response), f"{name}, call {number}: {received!r}"
                assert repr(received.parsed) == wanted, f"{name}, call {number}: another value"
                assert received.headers["x-number"] == "1", f"{name}: {received.headers!r}"


def calls_at_the_same_time_get_their_own_responses(case: ResponseCase) -> None:
    """Threads or tasks share a client, and each gets the response to its own request."""
    if case.number or case.operation.window is None:
        return
    pattern = re.compile(rb"[?&]%b=([0-9]+)" % case.operation.window.encode())
    body = encode(case.operation.richest_example)

    def serve(connection: ScriptedConnection) -> None:
        while connection.receive():
            match = pattern.search(connection.requests[-1])
            window = int(match[1]) if match else 0
            # Those that were sent last come first.
            time.sleep(max(FIRST_WINDOW + CALLS - window, 0) * 0.005)
            connection.send(encode_response(200, body, JSON, (b"X-Window", b"%d" % window)))

    with ScriptedServer(serve) as server, Caller(case, server, timeout=10.0) as caller:
        for _ in range(2):
            received = _call_at_once(case, caller.client)
            found = [getattr(each, "headers", {}).get("x-window") for each in received]
            wanted = [str(FIRST_WINDOW + number) for number in range(CALLS)]
            assert found == wanted, f"{found}, not {wanted}; {received[0]!r}"


def shorter_limits_do_not_end_longer_ones(case: ResponseCase) -> None:
    """Of several limits and bans of calls at the same time the one holds that ends last."""
    if case.number or case.operation.window is None:
        return
    pattern = b"%b=%d" % (case.operation.window.encode(), FIRST_WINDOW)
    for status, error_class in ((429, RateLimitError), (418, IPBannedError)):
        long, short = (
            encode_response(status, encode({"code": -1003, "msg": "no"}), (b"Retry-After", text))
            for text in (b"1000", b"300")
        )
        are_sent = threading.Event()

        def serve(
            connection: ScriptedConnection,
            long: bytes = long,
            short: bytes = short,
            are_sent: threading.Event = are_sent,
        ) -> None:
            if not connection.receive():
                return
            is_first = pattern in connection.requests[-1]
            if server.request_count == CALLS:
                are_sent.set()
            are_sent.wait(PATIENCE_SECONDS)
            # The long one comes first.
            time.sleep(0.0 if is_first else ARRIVAL)
            connection.send(long if is_first else short)

        with ScriptedServer(serve) as server, Caller(case, server, timeout=10.0) as caller:
            _call_at_once(case, caller.client)
            error = caller.call()
            place = f"after {status}, {server.request_count} requests: {error!r}"
            assert (type(error), server.request_count) == (error_class, CALLS), place
            assert 800 < error.retry_after <= 1000, f"{place}: {error.retry_after} s"


def transports_keep_to_their_options(case: ResponseCase) -> None:
    """A transport opens no more connections than it may, and keeps none longer.

    A call that ends with an error gives its place to the next one.
    """
    if case.number or case.operation.window is None:
        return
    response = response_of(case)
    faults = [ValueError("a mistake of the clock")]

    def clock() -> int:
        if faults:
            raise faults.pop()
        return T0

    def serve(connection: ScriptedConnection) -> None:
        while connection.receive():
            connection.send(response)

    for expiry, is_kept in ((30.0, True), (0.0, False)):
        transport = case.sdk.own_transport(max_connections=1, keepalive_expiry=expiry)
        options: dict[str, Any] = {"transport": transport, "clock": clock, "timeout": 10.0}
        with ScriptedServer(serve) as server, Caller(case, server, **options) as caller:
            if is_kept:
                with contextlib.suppress(ValueError):
                    caller.call()
            received = _call_at_once(case, caller.client)
            case.close(transport)
            counts = [len(each.requests) for each in server.connections if each.requests]
        assert {*map(type, received)} == {Response}, f"{received[0]!r}"
        wanted = [CALLS] if is_kept else [1] * CALLS
        assert counts == wanted, f"idle for {expiry} s at most: requests of connections {counts}"


CHECKS: Final = (
    responses_are_read_in_every_framing,
    calls_at_the_same_time_get_their_own_responses,
    shorter_limits_do_not_end_longer_ones,
    transports_keep_to_their_options,
)


def _call_at_once(case: ResponseCase, client: Any) -> list[Any]:
    """Return what the calls of threads or tasks make of their responses."""
    pairs = [f"{case.operation.window}={FIRST_WINDOW + number}" for number in range(CALLS)]
    if is_async(client):

        async def gather() -> list[Any]:
            calls = [case.begin_call(client, pair) for pair in pairs]
            return await asyncio.gather(*calls, return_exceptions=True)

        return list(case.run(gather()))
    received: list[Any] = [None] * CALLS

    def call(number: int) -> None:
        try:
            received[number] = case.call(client, pairs[number])
        except Exception as error:  # noqa: BLE001 - whatever a faulty client raises is a finding
            received[number] = error

    threads = [
        threading.Thread(target=call, args=(number,), daemon=True) for number in range(CALLS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return received
