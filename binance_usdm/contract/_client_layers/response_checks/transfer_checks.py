"""Checks of a client with its own transport: framings of responses, and calls at the same time.

They do not depend on the operation, so one response stands for all.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import Any, Final

from binance_usdm import Response
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import JSON, ResponseCase, is_async
from binance_usdm.contract._client_layers.servers.loopback import Caller, response_of
from binance_usdm.contract._client_layers.servers.scripted_server import (
    PATIENCE_SECONDS,
    ScriptedConnection,
    ScriptedServer,
    encode_response,
)

CALLS: Final = 6
FIRST_WINDOW: Final = 2000
PIECE_BYTES: Final = 11


def responses_are_read_in_every_framing(case: ResponseCase) -> None:
    """Chunks, pieces, an interim response before it, or an end by the end of the connection."""
    if case.number:
        return
    body = encode(case.operation.richest_example)
    wanted = repr(case.receive(body, JSON).parsed)
    head = b"HTTP/1.1 200 OK\r\nX-Number: 1\r\ncontent-type: application/json\r\n"
    pieces = [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    plain = response_of(case, (b"X-Number", b"1"))
    cases = {
        "length": (plain, False),
        "chunks": (head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", False),
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


CHECKS: Final = (
    responses_are_read_in_every_framing,
    calls_at_the_same_time_get_their_own_responses,
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
        received[number] = case.call(client, pairs[number])

    threads = [
        threading.Thread(target=call, args=(number,), daemon=True) for number in range(CALLS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    return received
