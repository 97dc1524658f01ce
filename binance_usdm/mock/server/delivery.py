"""A reply on its way through ASGI: at once, late, in pieces, cut or reset. Knows one connection, no exchange and no server."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Final

if sys.platform == "linux":
    import fcntl
    import termios

from binance_usdm.mock.core.response import JSON, Reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Head = tuple[int, list[tuple[bytes, bytes]]]
"""How much of a body is announced, and the headers that say so."""

TRANSPORT_EXTENSION: Final = "binance_usdm.mock.transport"
"""Where a scope's ``extensions`` hold the connection's ``asyncio.Transport``, on a server that gives it away."""

_KNOWN_HEADER_NAMES: Final = frozenset(
    {b"Content-Type", b"X-MBX-USED-WEIGHT-1M"}
)  # of nearly every reply, and no look is as fast
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*").fullmatch
_LINGER_ZERO: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def send_response(
    reply: Reply, head: Head, scope: Message, receive: Receive, send: Send
) -> None:
    """Send a reply under its head as its ``delivery`` says.

    Plain ASGI has no word for the end of a connection: without the transport a cut is an answer that is never completed,
    a reset a ConnectionResetError, and what they become is up to the server.
    """
    delivery, (announced, headers) = reply.delivery, head
    transport = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
    if delivery.latency and not await _sleep_unless_disconnected(delivery.latency, receive):
        return None
    if delivery.reset and delivery.cut is None:
        return await _reset(transport, receive)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    sent = 0
    for place, piece in enumerate(delivery.pieces(reply.body[:announced])):
        if (
            place
            and delivery.pause
            and not await _sleep_unless_disconnected(delivery.pause, receive)
        ):
            return None
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        sent += len(piece)
    if delivery.reset:
        return await _reset(transport, receive)
    if sent < announced and scope["method"] != "HEAD":
        return await _close_early(transport, receive)
    if transport is not None and scope["method"] != "HEAD":
        transport.write(
            reply.body[announced:]
        )  # more than was announced: no server would send that for us
    return await send({"type": "http.response.body", "body": b""})


def response_head(reply: Reply) -> Head:
    """The head of a reply; one of one's own may bring its Content-Length along."""
    for name, value in reply.headers:
        if name not in _KNOWN_HEADER_NAMES and name.lower() == b"content-length":
            if not value.isdigit():
                raise ValueError("the Content-Length of the reply is no number")
            return int(value), list(reply.headers)
    return len(reply.body), [*reply.headers, (b"Content-Length", b"%d" % len(reply.body))]


def validate_response(reply: Reply) -> Head:
    """The head of a reply; ValueError for one that no server can send."""
    if not 200 <= reply.status <= 599:
        raise ValueError("the status of the reply is not from 200 to 599")
    for name, value in reply.headers:
        if not (
            (name in _KNOWN_HEADER_NAMES or _NAME(name))
            and (value is JSON or value.isalnum() or _VALUE(value))
        ):
            raise ValueError("a header of the reply is none that HTTP allows")
    return response_head(reply)


async def _sleep_unless_disconnected(seconds: float, receive: Receive) -> bool:
    """Wait; whoever hangs up meanwhile is gone, and waits no longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _wait_for_disconnect(receive)
        return False
    return True


async def _close_early(transport: asyncio.Transport | None, receive: Receive) -> None:
    if transport is not None:
        transport.close()
        await _wait_for_disconnect(receive)  # a server complains of an application that ends before


async def _reset(transport: asyncio.Transport | None, receive: Receive) -> None:
    if transport is None:
        raise ConnectionResetError("the mock exchange resets the connection")
    connection: socket.socket = transport.get_extra_info("socket")
    while _unsent_bytes(transport, connection) and await _sleep_unless_disconnected(0.001, receive):
        pass  # a reset would drop it
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
    await _wait_for_disconnect(receive)


def _unsent_bytes(transport: asyncio.Transport, connection: socket.socket) -> int:
    """How many bytes have not arrived; of those the system holds, only Linux tells."""
    held = bytes(4)
    if sys.platform == "linux":
        held = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, held)
    return transport.get_write_buffer_size() + int.from_bytes(held, sys.byteorder)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
