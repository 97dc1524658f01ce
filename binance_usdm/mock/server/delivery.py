"""Deliver a response late, in pieces, cut or reset."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, Final

if sys.platform == "linux":
    import fcntl
    import termios

from binance_usdm.mock.core.response import Reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Head = tuple[int, list[tuple[bytes, bytes]]]
"""Announced length of the body in bytes, and all headers."""

TRANSPORT_EXTENSION: Final = "binance_usdm.mock.transport"
"""ASGI extension with the connection's `asyncio.Transport`, on a server that passes it on."""

_LINGER_ZERO: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def send_response(
    reply: Reply, head: Head, scope: Message, receive: Receive, send: Send
) -> None:
    """Send a response as its `delivery` describes.

    ASGI cannot end a connection. Without the connection's transport a cut response is never
    completed and a reset raises, and what happens to the connection depends on the server.
    A client that disconnects ends the delivery.

    Args:
        reply: Response to send.
        head: Its head, from `response_head`.
        scope: ASGI scope, which may have the transport in its extensions.
        receive: ASGI function that returns the next message of the client.
        send: ASGI function that sends a message.

    Raises:
        ConnectionResetError: The connection is to be reset, and the scope has no transport.
    """
    delivery = reply.delivery
    announced, headers = head
    transport = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
    is_head = scope["method"] == "HEAD"
    if delivery.latency and not await _sleep_unless_disconnected(delivery.latency, receive):
        return
    if delivery.reset and delivery.cut is None:
        await _reset(transport, receive)
        return
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    pieces = delivery.pieces(reply.body[:announced])
    sent_bytes = await _send_pieces(pieces, delivery.pause, receive, send)
    if sent_bytes is None:
        return
    if delivery.reset:
        await _reset(transport, receive)
        return
    if sent_bytes < announced and not is_head:
        await _close_early(transport, receive)
        return
    if transport is not None and not is_head:
        # A server refuses to send more than was announced, so the rest goes past it.
        transport.write(reply.body[announced:])
    await send({"type": "http.response.body", "body": b""})


async def _send_pieces(
    pieces: Iterator[bytes], pause: float, receive: Receive, send: Send
) -> int | None:
    """Send pieces of a body, and return the number of bytes, `None` if the client disconnects."""
    sent_bytes = 0
    for index, piece in enumerate(pieces):
        if index and pause and not await _sleep_unless_disconnected(pause, receive):
            return None
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        sent_bytes += len(piece)
    return sent_bytes


def response_head(reply: Reply) -> Head:
    """Return the head of a response. A custom response may have a Content-Length."""
    for name, value in reply.headers:
        if name.lower() == b"content-length":
            return int(value), list(reply.headers)
    return len(reply.body), [*reply.headers, (b"Content-Length", b"%d" % len(reply.body))]


async def _sleep_unless_disconnected(seconds: float, receive: Receive) -> bool:
    """Wait, and return whether the client is still connected. Ends early if it disconnects."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _wait_for_disconnect(receive)
        return False
    return True


async def _close_early(transport: asyncio.Transport | None, receive: Receive) -> None:
    if transport is not None:
        transport.close()
        # A server logs an error if the application returns before.
        await _wait_for_disconnect(receive)


async def _reset(transport: asyncio.Transport | None, receive: Receive) -> None:
    if transport is None:
        raise ConnectionResetError("the mock exchange resets the connection")
    connection: socket.socket = transport.get_extra_info("socket")
    # A reset would drop unsent bytes.
    while _unsent_bytes(transport, connection) and await _sleep_unless_disconnected(0.001, receive):
        pass
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
    await _wait_for_disconnect(receive)


def _unsent_bytes(transport: asyncio.Transport, connection: socket.socket) -> int:
    """Return the number of bytes that did not arrive.

    Bytes in the socket's buffer are counted on Linux only.
    """
    in_socket = bytes(4)
    if sys.platform == "linux":
        in_socket = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, in_socket)
    return transport.get_write_buffer_size() + int.from_bytes(in_socket, sys.byteorder)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
