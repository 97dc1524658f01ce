"""A server on this machine, for what only a socket shows: connections, their ends, and proxies."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Self

import httpx

from binance_usdm.contract._client_layers.sdk import Respond, WireRequest
from binance_usdm.contract._client_layers.servers.scripted_server import HEAD_END, encode_response

HOST: Final = "127.0.0.1"
# A client that sends nothing for so long has failed.
TIMEOUT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.001
_OWN_HEADERS: Final = (b"content-length", b"transfer-encoding", b"connection")


@dataclass(frozen=True)
class ArrivedRequest(WireRequest):
    """A request as it arrived.

    Attributes:
        version: Version of HTTP.
        connection: Number of the connection, from 0.
    """

    version: str
    connection: int


class LoopbackServer:
    """Listens on a free port while used as a context manager, and keeps every request.

    To CONNECT it responds as a proxy, and serves what comes through the tunnel itself.

    Args:
        respond: Function that responds to a request.
        lost: Requests, as the numbers of connection and request, after which the connection is
            closed without a response.
        connect_status: Status of the response to CONNECT.
        tls: Settings of TLS within a tunnel, or `None` for none.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        lost: Collection[tuple[int, int]] = (),
        connect_status: int = 200,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[ArrivedRequest] = []
        self._respond, self._lost = respond, lost
        self._connect_status, self._tls = connect_status, tls
        self._listener = socket.create_server((HOST, 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._ended: set[int] = set()
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        # The thread that accepts ends first, so that no connection is added meanwhile.
        _wake_and_close(self._listener)
        self._threads[0].join(TIMEOUT_SECONDS)
        for each in self._sockets:
            _wake_and_close(each)
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    @property
    def tunnels(self) -> list[ArrivedRequest]:
        """The CONNECT requests."""
        return [each for each in self.requests if each.method == "CONNECT"]

    @property
    def served(self) -> list[ArrivedRequest]:
        """All other requests."""
        return [each for each in self.requests if each.method != "CONNECT"]

    def wait_for_end(self, number: int) -> bool:
        """Return whether a client ends a connection before it has failed."""
        return _wait_until(lambda: number in self._ended)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        # The listener is closed at last.
        with contextlib.suppress(OSError):
            for number in itertools.count():
                connection = self._listener.accept()[0]
                connection.settimeout(TIMEOUT_SECONDS)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(connection)
                self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        # The client may end it, or refuse the certificate.
        with contextlib.suppress(OSError), connection:
            if not self._answer(connection, number) or self._tls is None:
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._sockets.append(secured)
                self._answer(secured, number)

    def _answer(self, connection: socket.socket, number: int) -> bool:
        """Answer requests to the end, and return whether a tunnel with TLS begins instead."""
        index = 0
        while head := _read_head(connection):
            request = _parse_head(head, number)
            self.requests.append(request)
            if request.method == "CONNECT":
                connection.sendall(b"HTTP/1.1 %d x\r\n\r\n" % self._connect_status)
                if self._connect_status == 200 and self._tls is None:
                    continue
                return self._connect_status == 200
            if (number, index) in self._lost:
                return False
            connection.sendall(self._response_bytes(request))
            index += 1
        self._ended.add(number)
        return False

    def _response_bytes(self, request: ArrivedRequest) -> bytes:
        extensions = {"target": request.target}
        headers = [*request.headers]
        response = self._respond(
            httpx.Request(request.method, self.url, headers=headers, extensions=extensions)
        )
        fields = [each for each in response.headers.raw if each[0].lower() not in _OWN_HEADERS]
        return encode_response(response.status_code, response.content, *fields)


def _wait_until(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not is_so() and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return is_so()


def _wake_and_close(sock: socket.socket) -> None:
    """Close a socket, and wake the thread that waits in it."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def _read_head(connection: socket.socket) -> bytes:
    """Return the next head, or nothing at the end. A client sends no body, and no two at once."""
    data = b""
    while not data.endswith(HEAD_END):
        received = connection.recv(65536)
        if not received:
            return b""
        data += received
    return data


def _parse_head(head: bytes, connection: int) -> ArrivedRequest:
    first, *lines = head.removesuffix(HEAD_END).split(b"\r\n")
    method, target, version = first.split(b" ", 2)
    pairs = (line.partition(b":") for line in lines)
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    return ArrivedRequest(method.decode(), target, headers, version.decode(), connection)
