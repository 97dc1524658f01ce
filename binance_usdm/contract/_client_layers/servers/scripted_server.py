"""A server on this machine that does with each connection what a function says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, Self, TypeAlias

HEAD_END: Final = b"\r\n\r\n"
# Long for a busy machine, and passed only when a client or a check does not go on.
PATIENCE_SECONDS: Final = 10.0


class ScriptedConnection:
    """A connection that the server accepted.

    Attributes:
        number: Its number, from 1.
        requests: Heads of the requests that came over it.
    """

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.number = number
        self.requests: list[bytes] = []
        self._socket = sock
        self._socket.settimeout(PATIENCE_SECONDS)

    def receive(self) -> bool:
        """Read the head of a request, and return whether one came before the end."""
        head = b""
        while HEAD_END not in head:
            part = self._socket.recv(65536)
            if not part:
                return False
            head += part
        self.requests.append(head)
        return True

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def wait_for_end(self, seconds: float) -> None:
        """Wait until the client closes the connection, or for some seconds."""
        ends_at = time.monotonic() + seconds
        while (left := ends_at - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                if not self._socket.recv(65536):
                    return
            except TimeoutError:
                return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


Serve: TypeAlias = Callable[[ScriptedConnection], None]
"""Serves one connection, which is closed when it returns."""


class ScriptedServer:
    """A server for the connections of a client, in threads.

    Attributes:
        connections: The connections in the order in which they were accepted.
    """

    def __init__(self, serve: Serve) -> None:
        self.connections: list[ScriptedConnection] = []
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def request_count(self) -> int:
        return sum(len(each.requests) for each in self.connections)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        # A thread that accepts is not woken by a close alone.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                connection = ScriptedConnection(sock, len(self.connections) + 1)
                self.connections.append(connection)
                thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _run(self, connection: ScriptedConnection) -> None:
        # The client may close the connection at any time, and the check may end.
        with contextlib.suppress(OSError):
            self._serve(connection)
        connection.close()


def encode_response(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> bytes:
    """Return the bytes of a response with the length of its body."""
    lines = [b"HTTP/1.1 %d -" % status, b"Content-Length: %d" % len(body)]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join(lines) + HEAD_END + body
