"""A path that swallows packets without a word, as behind a NAT that forgot the connection."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.clients import BODY, BlockingFacade
from tests.support.raw_server import READ, RawServer, Script, response_bytes

ClientOf = Callable[..., BlockingFacade]
SO_ATTACH_FILTER = 26  # asm-generic/socket.h
LINUX = pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT") or not hasattr(socket, "AF_PACKET"),
    reason="needs Linux' TCP_USER_TIMEOUT and socket filters",
)


def drop_incoming(sock: socket.socket) -> None:
    """Have the system drop every segment that comes for a socket, unacknowledged."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class ForgetfulPath:
    """A server that responds to the first request of its first connection, whose path then dies."""

    def __init__(self) -> None:
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                while b"\r\n\r\n" not in sock.recv(65536):
                    pass
                self.requests += 1
                sock.sendall(response_bytes(BODY))
                if self.requests == 1:
                    time.sleep(0.05)  # The client acknowledges first.
                    drop_incoming(sock)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for sock in self._sockets:
            sock.close()


@pytest.fixture
def forgetful_path() -> Iterator[ForgetfulPath]:
    with contextlib.closing(ForgetfulPath()) as server:
        yield server


@LINUX
@pytest.mark.promise("R15")
def test_a_dead_path_costs_one_attempt(
    make_client: ClientOf, forgetful_path: ForgetfulPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle connection whose path acknowledges nothing is closed early, and the call succeeds."""
    monkeypatch.setattr("binance_usdm._http.connections.connect.UNACKNOWLEDGED_MS", 300)
    client = make_client(base_url=forgetful_path.url, timeout=20)
    assert client.balance()[0].asset == "USDT"
    time.sleep(0.2)
    began = time.monotonic()
    assert client.balance()[0].asset == "USDT"
    assert time.monotonic() - began < 8
    assert forgetful_path.requests == 2


@LINUX
@pytest.mark.promise("R15", "R19")
def test_a_slow_server_is_asked_once(
    make_client: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that acknowledges the request and responds late gets one request."""
    monkeypatch.setattr("binance_usdm._http.connections.connect.UNACKNOWLEDGED_MS", 300)
    script: Script = [READ, response_bytes(BODY), READ, 0.6, response_bytes(BODY)]
    with RawServer(script) as server:
        client = make_client(base_url=server.url, timeout=20)
        for _ in range(2):
            assert client.balance()[0].asset == "USDT"
    assert (len(server.requests), server.connections) == (2, 1)
