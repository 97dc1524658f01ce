"""A fast server for long runs, which responds to every 50th request with the next of its faults.

python -m tests.hostile.fast_server     prints its URL and serves until it is ended
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import Iterator

from tests.support.clients import BODY
from tests.support.raw_server import response_bytes

# One request of this number gets a fault.
EVERY = 50
GOOD = response_bytes(BODY, b"X-MBX-USED-WEIGHT-1M: 5", b"Content-Type: application/json")
FAULTS = (
    response_bytes(b'{"code":-1007,"msg":"Timeout"}', status="408 Timeout"),
    response_bytes(b"<html>", status="502 Bad"),
    response_bytes(BODY[:-9]),
    response_bytes(BODY) + b"surplus",
    response_bytes(BODY)[:-9], b"", b"RTSP/1.0 200 OK\r\n\r\n", response_bytes(b"{}"),
    response_bytes(b"[" * 2000),
    response_bytes(b"x", b"Content-Encoding: gzip"), GOOD[:40],
    b"HTTP/1.1 103 Early\r\n\r\n" + GOOD,
    response_bytes(b'{"code":-2015,"msg":"no"}', status="401 No"),
    response_bytes(BODY.replace(b"USDT", os.urandom(9).hex().encode())),
    response_bytes(b" " * (1 << 20)),
)  # fmt: skip
# After these the server closes, since a client would wait for more of one of them.
ENDS = {FAULTS[4], FAULTS[5], FAULTS[10]}


class Replier(asyncio.Protocol):
    """Responds to each head at once. Requests are numbered over all connections."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers, self._heard = numbers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            self._heard = self._heard.partition(b"\r\n\r\n")[2]
            number = next(self._numbers)
            said = FAULTS[number // EVERY % len(FAULTS)] if number % EVERY == EVERY - 1 else GOOD
            self._transport.write(said)
            if said in ENDS:
                self._transport.close()


async def serve() -> None:
    numbers = itertools.count()
    server = await asyncio.get_running_loop().create_server(
        lambda: Replier(numbers), "127.0.0.1", 0
    )
    print("http://{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
