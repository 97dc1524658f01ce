"""One connection over a blocking socket."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from binance_usdm._http.messages import DeadlinePassed

from .lease import Lease
from .readiness import SocketWaiter

RECV_BYTES = 1 << 16
"""Not less than TLS returns at once. Of a plain socket, a large response comes in few pieces."""


class SyncConnection:
    """One connection.

    The socket does not block; this class waits for it. A timeout of the socket would cost a system
    call for each request.
    """

    __slots__ = ("_incoming", "_socket", "abort")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._incoming = SocketWaiter(sock.fileno())
        self.abort = sock.close

    def is_usable(self) -> bool:
        """Return whether the idle connection received nothing: no bytes, no end, no error."""
        return not self._incoming.wait(0)

    def send(self, data: memoryview, lease: Lease[Any]) -> None:
        """Send all bytes, and block while the socket is not writable.

        Raises:
            DeadlinePassed: The lease's deadline came first.
            OSError: The connection failed.
        """
        while data:
            # Nothing is sent after the deadline.
            left = lease.time_left()
            try:
                data = data[self._socket.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not SocketWaiter(self._socket.fileno(), writing=True).wait(left):
                    raise DeadlinePassed from None

    def receive(self, lease: Lease[Any]) -> bytes:
        """Block until bytes are received, and return them, b"" at the end.

        Raises:
            DeadlinePassed: The lease's deadline came first.
            OSError: The connection failed.
        """
        while self._incoming.wait(lease.time_left()):
            try:
                return self._socket.recv(RECV_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                # Only a part of a TLS record was received.
                pass
        raise DeadlinePassed
